import { connect } from "node:net";
import { LbError } from "../model/errors.ts";
import { type ControlReply, controlVersion, LineReader } from "./control-protocol.ts";

/** A command failed over there. */
export class ControlError extends LbError {
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message);
    this.details = details;
  }
}

/**
 * Has the primary behind this socket do something. Resolves with the result; `told` gets what it tells meanwhile.
 *
 * @throws ControlError with what the command threw; `LB_CONTROL_LOST` if the primary went away before it answered
 */
export function ask(
  path: string,
  command: string,
  argument: unknown,
  told: (event: unknown) => void = () => {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const lines = new LineReader();
    const lost = (why: string) => reject(new ControlError("LB_CONTROL_LOST", `The primary did not answer: ${why}.`));
    const socket = connect(path, () =>
      socket.write(`${JSON.stringify({ version: controlVersion, command, argument })}\n`),
    );
    socket.setEncoding("utf8");
    socket.on("error", (error) => lost(error.message));
    socket.on("close", () => lost("it closed the connection"));
    socket.on("data", (text: string) => {
      for (const line of lines.read(text) ?? []) {
        const reply = JSON.parse(line) as ControlReply;
        if ("event" in reply) told(reply.event);
        else if ("result" in reply) resolve(reply.result);
        else reject(new ControlError(reply.error.code, reply.error.message, reply.error.details));
      }
    });
  });
}
