import { maxFailureMessageLength, maxFailureStackLength, type WorkerFailure } from "../ipc/messages.ts";
import { LbError } from "../model/errors.ts";

/** What went wrong in a start, as one of our errors: `LB_APP_THREW` for what is not ours. */
export function startFailure(error: unknown): LbError {
  if (error instanceof LbError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new LbError("LB_APP_THREW", `The callback given to cluster() threw: ${text}`, { cause: error });
}

/** The same for the channel, which carries strings of bounded length. */
export function describeFailure({ code, message, cause }: LbError): WorkerFailure {
  const failure = { code, message: message.slice(0, maxFailureMessageLength) };
  const stack = cause instanceof Error ? cause.stack : undefined;
  return stack === undefined ? failure : { ...failure, stack: withoutOurs(stack).slice(0, maxFailureStackLength) };
}

/** Built, the library is one file. */
const [, ourFile] = /\(?((?:file:|\/|[A-Z]:\\).*?):\d+:\d+\)?$/m.exec(new Error().stack ?? "") ?? [];

/** That the app was called by us is none of its affair. */
function withoutOurs(stack: string): string {
  const lines = stack.split("\n");
  return lines
    .filter((line) => ourFile === undefined || !/^\s+at /.test(line) || !line.includes(`${ourFile}:`))
    .join("\n");
}
