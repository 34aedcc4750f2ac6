import { LbError, OptionError } from "../model/errors.ts";

/** How what was asked for could not be done, as it is answered. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  const { message = String(error), code = "LB_ACTION" } = error as { message?: string; code?: string };
  if (error instanceof OptionError) return { status: 400, code, message };
  return { status: error instanceof LbError ? 409 : 500, code, message };
}
