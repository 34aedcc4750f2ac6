import { LbError } from "../model/errors.ts";

/** An error as a message has it: what is known of it is kept, its class is not. */
export interface SentError {
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  /** Which of several listeners could not be opened. */
  readonly listener?: number;
  readonly cause?: SentError;
}

/** Causes of causes; who has more has a cycle. */
const maxDepth = 4;

export function sentError(error: unknown, depth = 0): SentError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack, cause } = error;
  const { code, listener } = error as { readonly code?: unknown; readonly listener?: unknown };
  return {
    message,
    ...(stack !== undefined && { stack }),
    ...(typeof code === "string" && { code }),
    ...(typeof listener === "number" && { listener }),
    ...(cause !== undefined && depth < maxDepth && { cause: sentError(cause, depth + 1) }),
  };
}

/** Ours is an {@link LbError} again, any other an `Error` with its code. */
export function receivedError(sent: SentError): Error & Pick<SentError, "code" | "listener"> {
  const { message, stack, code, listener, cause } = sent;
  const options = cause && { cause: receivedError(cause) };
  const error = isOurs(sent) ? new LbError(sent.code, message, options) : new Error(message, options);
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, code !== undefined && { code }, listener !== undefined && { listener });
}

/** @throws TypeError for an error that is not ours */
export function receivedLbError(sent: SentError): LbError {
  if (!isOurs(sent)) throw new TypeError(`Not an error of this library: ${sent.message}`);
  return receivedError(sent) as LbError;
}

function isOurs(sent: SentError): sent is SentError & { readonly code: string } {
  return sent.code?.startsWith("LB_") === true;
}
