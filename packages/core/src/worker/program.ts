/** Known to every copy of this library in the process: the program may bring its own. */
const key = Symbol.for("@lb/core.program");

/** What `lb start` runs in this process. */
export function noteProgram(entry: string): void {
  (globalThis as { [key]?: string })[key] = entry;
}

/** Undefined: this process was not started by `lb start`. */
export function startedProgram(): string | undefined {
  return (globalThis as { [key]?: string })[key];
}
