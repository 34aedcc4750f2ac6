/** Known to every copy of this library in the process: the program may bring its own. */
const key = Symbol.for("@lb/core.program");

/** What `lb start` runs in this process. */
export interface StartedProgram {
  readonly entry: string;
  /** Tells the primary why it will not start, which ends the process. */
  fail(code: string, message: string): void;
}

export function noteProgram(program: StartedProgram): void {
  (globalThis as { [key]?: StartedProgram })[key] = program;
}

/** Undefined: this process was not started by `lb start`. */
export function startedProgram(): StartedProgram | undefined {
  return (globalThis as { [key]?: StartedProgram })[key];
}
