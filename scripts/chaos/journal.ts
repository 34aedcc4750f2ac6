import { openSync, readFileSync, writeSync } from "node:fs";

/** What instances write down, each line with who and when. It is in the file before the instance does anything else, so it outlives SIGKILL. */
export type Line =
  /** It began to work on a request, or took a connection. */
  | { readonly kind: "began"; readonly pid: number; readonly at: number; readonly id: string }
  /** It took a message of a Socket.IO client's. */
  | { readonly kind: "took"; readonly pid: number; readonly at: number; readonly id: string }
  /** It was told to drain, and may have begun that by so much earlier: it was late itself. */
  | {
      readonly kind: "draining";
      readonly pid: number;
      readonly at: number;
      readonly graceMs: number;
      readonly lateMs: number;
    }
  /** The program ends the process now, by an exit or an exception. */
  | { readonly kind: "dying"; readonly pid: number; readonly at: number };

/** In milliseconds, by the clock that all processes of the machine have in common and nobody sets. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** Lines are short and appended, so those of several processes do not mix. */
export function journalWriter(file: string): (kind: Line["kind"], ...words: readonly (string | number)[]) => void {
  const descriptor = openSync(file, "a");
  return (kind, ...words) => {
    writeSync(descriptor, `${[kind, process.pid, now(), ...words].join(" ")}\n`);
  };
}

export function readJournal(file: string): Line[] {
  return readFileSync(file, "latin1")
    .split("\n")
    .flatMap((text) => {
      const [kind, pid, at, word = "", lateMs] = text.split(" ");
      const common = { pid: Number(pid), at: Number(at) };
      switch (kind) {
        case "began":
        case "took":
          return { kind, ...common, id: word };
        case "draining":
          return { kind, ...common, graceMs: Number(word), lateMs: Number(lateMs) };
        case "dying":
          return { kind, ...common };
        default:
          return [];
      }
    });
}
