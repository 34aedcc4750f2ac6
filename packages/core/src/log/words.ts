/** `1 instance`, `4 instances`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `80 ms`, `2.5 s`, `40 s`, `12 min`, `4 h`, `9 d`: the largest unit alone. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return "ever";
  if (ms < 950) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `1`, `1 and 3`, `1, 3 and 4`. */
export function listed(items: readonly (string | number)[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** A sentence's text without what ends it, to go on after it. */
export function unended(text: string): string {
  return text.trimEnd().replace(/\.+$/, "");
}

/** What became of a process that ended by itself, behind its name. */
export function processEnd({ exitCode, signal }: { exitCode: number | null; signal: string | null }): string {
  if (signal === "SIGKILL") return "was killed by SIGKILL (the kernel does that when memory runs out)";
  if (signal !== null) return `was ended by ${signal}`;
  return exitCode === 0 ? "ended by itself with exit code 0" : `crashed with exit code ${exitCode}`;
}
