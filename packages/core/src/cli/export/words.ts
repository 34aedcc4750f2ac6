/** As HAProxy and nginx take times: whole seconds where it is that, else milliseconds. */
export function seconds(ms: number): string {
  if (!Number.isFinite(ms)) return "24d";
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${Math.round(ms)}ms`;
}

/** What a writer has to say of what it cannot say, at the beginning of the file. */
export function remarks(mark: string, notes: readonly string[]): string {
  const head = `${mark} Written by lb export.`;
  const lines =
    notes.length === 0
      ? [head]
      : [`${head} Not in it, or in another way:`, ...notes.map((note) => `${mark} - ${note}`)];
  return `${lines.join("\n")}\n\n`;
}

/** As JSON has times of protocol buffers. For ever is a year. */
export function secondsOnly(ms: number): string {
  return `${Number.isFinite(ms) ? ms / 1_000 : 365 * 86_400}s`;
}
