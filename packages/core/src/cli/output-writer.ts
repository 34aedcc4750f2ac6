import { styleText } from "node:util";
import { showsColours } from "../cluster/open-log.ts";
import { instanceName } from "../control/instance-names.ts";
import type { OutputLine } from "../model/output-line.ts";
import { terminalSafe } from "./terminal-safe.ts";

/** Bytes that may wait to be written before whoever makes them is held back. */
const maxWaitingBytes = 1_048_576;

/**
 * Writes to standard output and standard error without ever blocking: the process that does so is the front, and where a
 * reader is slow (`lb start … | less`) Node would have it wait in the write. That it can be told not to is not in Node's
 * documentation; where it cannot, output is what it is in any other program.
 */
export class OutputWriter {
  readonly #hold: (held: boolean) => void;

  /** `hold` is told to make no more, and to go on. */
  constructor(hold: (held: boolean) => void) {
    this.#hold = hold;
    for (const stream of [process.stdout, process.stderr]) {
      (stream as { _handle?: { setBlocking?(blocking: boolean): void } })._handle?.setBlocking?.(false);
      stream.on("drain", () => this.#hold(false));
      // Nobody reads any more: there is nobody to tell, and the cluster goes on.
      stream.on("error", () => this.#hold(false));
    }
  }

  line(stream: "stdout" | "stderr", text: string): void {
    process[stream].write(`${text}\n`);
    if (process[stream].writableLength > maxWaitingBytes) this.#hold(true);
  }
}

/** With the instance in front of it, as `lb start` and `lb logs` show it on one of our own streams. */
export function labelled({ backend, instance, stream, text }: OutputLine, on: NodeJS.WriteStream): string {
  const label = styleText(stream === "stderr" ? "yellow" : "dim", `${instanceName(instance, backend)} |`, {
    stream: on,
  });
  return `${label} ${terminalSafe(text, showsColours(on))}`;
}

/**
 * For programs whose output comes to us by a pipe and goes to a terminal: that they may show as many colours as that can,
 * as they would on the terminal itself. Nothing where the user has said what is to be.
 */
export function colourEnvironment(
  stdout: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  if (env["NO_COLOR"] !== undefined || env["FORCE_COLOR"] !== undefined || !stdout.isTTY) return {};
  const levels: Readonly<Record<number, string>> = { 4: "1", 8: "2", 24: "3" };
  const level = levels[stdout.getColorDepth(env)];
  return level === undefined ? {} : { FORCE_COLOR: level };
}
