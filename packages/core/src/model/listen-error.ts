import { LbError } from "./errors.ts";

export interface ListenAttempt {
  readonly host: string;
  readonly port: number;
  /** What to change so that another port is taken, e.g. `the option "port"`. */
  readonly remedy: string;
}

/** A TCP port could not be opened. `LB_PORT_BUSY`, `LB_PORT_DENIED`, or `LB_LISTEN` for what is left; `cause` kept. */
export class ListenError extends LbError {
  readonly host: string;
  readonly port: number;

  constructor(attempt: ListenAttempt, cause: unknown) {
    const { code, reason } = explain(cause, attempt);
    super(code, `Cannot listen on ${attempt.host}:${attempt.port}: ${reason}`, { cause });
    this.host = attempt.host;
    this.port = attempt.port;
  }
}

function explain(cause: unknown, { remedy }: ListenAttempt): { code: string; reason: string } {
  const systemCode = cause instanceof Error ? (cause as Error & { readonly code?: unknown }).code : undefined;
  switch (systemCode) {
    case "EADDRINUSE":
      return {
        code: "LB_PORT_BUSY",
        reason: `the port is in use by another process. Stop that process, or change ${remedy}.`,
      };
    case "EACCES":
      return {
        code: "LB_PORT_DENIED",
        reason: `this user may not open the port. Change ${remedy} to one above 1023, or grant the right to bind it.`,
      };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return { code: "LB_LISTEN", reason: "this machine has no such address. Correct the host." };
    default:
      return { code: "LB_LISTEN", reason: cause instanceof Error ? cause.message : String(cause) };
  }
}
