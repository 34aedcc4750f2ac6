const hidden = "***";

/** Takes credentials out of what is to be shown: those in URLs, and each of `secrets` wherever it stands. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let shown = text.replace(/(\b[a-z][a-z\d+.-]*:\/\/)[^\s/?#]*@/gi, `$1${hidden}@`);
  for (const secret of secrets) if (secret !== "") shown = shown.replaceAll(secret, hidden);
  return shown.replace(/([?&](?:password|username)=)[^&#\s]*/gi, `$1${hidden}`);
}

/** The secrets among a client's options. */
export function secretsOf(options: object): readonly string[] {
  const { password, sentinelPassword } = options as { readonly [name: string]: unknown };
  return [password, sentinelPassword].filter((one) => typeof one === "string");
}
