import { LbError } from "../model/errors.ts";

/** An error as a message has it: what is known of it is kept, its class is not. */
export interface SentError {
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: SentError;
}

/** Causes of causes; who has more has a cycle. */
const maxDepth = 4;

export function sentError(error: unknown, depth = 0): SentError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack, cause } = error;
  const { code } = error as { readonly code?: unknown };
  return {
    message,
    ...(stack !== undefined && { stack }),
    ...(typeof code === "string" && { code }),
    ...(cause !== undefined && depth < maxDepth && { cause: sentError(cause, depth + 1) }),
  };
}

/** Ours is an {@link LbError} again, any other an `Error` with its code. */
export function receivedError(sent: SentError): Error & { readonly code?: string } {
  const { message, stack, code, cause } = sent;
  const options = cause && { cause: receivedError(cause) };
  const error = isOurs(sent) ? new LbError(sent.code, message, options) : new Error(message, options);
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

/** @throws TypeError for an error that is not ours */
export function receivedLbError(sent: SentError): LbError {
  if (!isOurs(sent)) throw new TypeError(`Not an error of this library: ${sent.message}`);
  return receivedError(sent) as LbError;
}

function isOurs(sent: SentError): sent is SentError & { readonly code: string } {
  return sent.code?.startsWith("LB_") === true;
}
