import { writeSync } from "node:fs";

/**
 * One end of a pair of sockets, inherited by each primary from the one before it. At the other end a process waits that was the first
 * of them, and has a terminal, or a container, waiting for it: it hears who has the cluster, and how that ended. What is written are lines.
 */
export class Lifeline {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** This process has the cluster. */
  hold(): void {
    this.#say(`pid ${process.pid}`);
    process.once("exit", (code) => this.#say(`exit ${code}`));
  }

  #say(line: string): void {
    try {
      writeSync(this.#fd, `${line}\n`);
    } catch {
      // Nobody waits any more.
    }
  }
}

/** What is read at the other end. */
export type LifelineFact = { readonly kind: "pid" | "exit"; readonly value: number };

/** Undefined: it is none. */
export function readLifeline(line: string): LifelineFact | undefined {
  const [, kind, digits] = /^(pid|exit) (\d{1,10})$/.exec(line) ?? [];
  return kind === undefined ? undefined : { kind: kind as LifelineFact["kind"], value: Number(digits) };
}
