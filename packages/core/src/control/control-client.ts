import { connect } from "node:net";
import { systemClock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { controlVersion, LineReader, maxReplyLength, readReply } from "./control-protocol.ts";

/** A command failed over there. */
export class ControlError extends LbError {
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message);
    this.details = details;
  }
}

export interface Question {
  /** The control socket of the primary that is asked. */
  readonly path: string;
  readonly command: string;
  readonly argument?: unknown;
  /** Gets what it tells before the result. */
  readonly told?: (event: unknown) => void;
  /** Aborted: it is to be given up, as far as it can be. The result is still waited for. */
  readonly cancel?: AbortSignal;
  /** For what a primary can say at once. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /** Leaves; it rejects then. */
  readonly signal?: AbortSignal;
}

/**
 * Has a primary do something. Resolves with the result.
 *
 * @throws ControlError with what the command threw; `LB_CONTROL_LOST` if the primary went away before it answered;
 * `LB_CONTROL_TIMEOUT`
 */
export function ask(question: Question): Promise<unknown> {
  const { path, command, argument, told = () => {}, timeoutMs, cancel, signal } = question;
  return new Promise((resolve, reject) => {
    const lines = new LineReader(maxReplyLength);
    const lost = (why: string) => reject(new ControlError("LB_CONTROL_LOST", `The primary did not answer: ${why}.`));
    const socket = connect(path, () => {
      socket.write(`${JSON.stringify({ version: controlVersion, command, argument })}\n`);
      if (cancel?.aborted === true) giveUp();
    });
    socket.setEncoding("utf8");
    const giveUp = () => void (socket.connecting || socket.write("\n"));
    cancel?.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => cancel?.removeEventListener("abort", giveUp));
    if (timeoutMs !== undefined) {
      const why = `The primary did not answer within ${timeoutMs / 1_000} s: it is stopped or blocked.`;
      const timer = systemClock.after(timeoutMs, () => {
        reject(new ControlError("LB_CONTROL_TIMEOUT", why));
        socket.destroy();
      });
      socket.once("close", () => timer.cancel());
    }
    const leave = () => socket.destroy();
    signal?.addEventListener("abort", leave, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", leave));
    if (signal?.aborted === true) leave();
    socket.on("error", (error) => lost(error.message));
    socket.on("close", () => lost("it closed the connection"));
    socket.on("data", (text: string) => {
      const read = lines.read(text);
      if (read === undefined) {
        lost("what it says is no line");
        socket.destroy();
        return;
      }
      for (const line of read) {
        const reply = readReply(line);
        if (reply === undefined) {
          lost("what it says is not understood");
          socket.destroy();
          return;
        }
        if ("event" in reply) told(reply.event);
        else if ("result" in reply) resolve(reply.result);
        else reject(new ControlError(reply.error.code, reply.error.message, reply.error.details));
      }
    });
  });
}
