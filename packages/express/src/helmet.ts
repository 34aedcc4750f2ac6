import helmet, { type HelmetOptions } from "helmet";
import type { Middleware } from "./bindings/express-call.ts";

export type { HelmetOptions } from "helmet";

/**
 * Security headers for all that comes behind, by `helmet`, whose options these are. What a target of `balance()` says
 * itself counts instead.
 */
export function securityHeaders(options: HelmetOptions = {}): Middleware {
  return helmet(options);
}
