import type { RetryCause } from "@lb/core/kit";
import { errors } from "undici";
import { GatewayError, type GatewayErrorCode } from "../errors.ts";

/** `refused`: it was never sent, and will not be: what the options made of the request is none. */
export type AttemptCause = Exclude<RetryCause, number> | "refused";

export interface FailedAttempt {
  readonly cause: AttemptCause;
  readonly error: Error;
}

/** What made an attempt fail, by the error that undici gave it. `begun`: there was a connection for it. */
export function causeOf(error: Error, begun: boolean): AttemptCause {
  const { code = "" } = error as NodeJS.ErrnoException;
  switch (code) {
    case "UND_ERR_INVALID_ARG":
    case "UND_ERR_NOT_SUPPORTED":
      return "refused";
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return "timeout";
    case "UND_ERR_HEADERS_OVERFLOW":
      return "invalid-response";
  }
  if (!begun) return "connect-error";
  return error instanceof errors.HTTPParserError ? "invalid-response" : "reset";
}

export function errorFor({ cause, error }: FailedAttempt, url: string): GatewayError {
  const [code, what] = words(cause);
  return new GatewayError(code, `${url} ${what}`, { cause: error });
}

function words(cause: AttemptCause): readonly [GatewayErrorCode, string] {
  switch (cause) {
    case "connect-error":
      return ["LB_UPSTREAM_CONNECT", "could not be connected to"];
    case "timeout":
      return ["LB_UPSTREAM_TIMEOUT", "did not answer in time"];
    case "invalid-response":
      return ["LB_UPSTREAM_INVALID", "did not answer with HTTP"];
    case "reset":
      return ["LB_UPSTREAM_RESET", "closed the connection before it had answered"];
    case "refused":
      return ["LB_RULE", "cannot be sent what the options made of the request"];
  }
}
