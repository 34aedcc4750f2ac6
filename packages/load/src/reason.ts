/** Why something failed, in a word that comes again: its code, or what it is called. */
export function reasonOf(error: unknown): string {
  const { code, name, message, cause } = error as { code?: unknown; name?: string; message?: string; cause?: unknown };
  if (typeof code === "string") return code;
  if (cause !== undefined && cause !== error) return reasonOf(cause);
  return name !== undefined && name !== "Error" ? name : (message ?? String(error)).slice(0, 80);
}
