import type { IncomingMessage, ServerResponse } from "node:http";
import { currentInstance } from "@lb/core";

export interface IdentityOptions {
  /** Default `"X-Instance-Id"`. */
  readonly header?: string;
}

/**
 * Middleware for Express and Connect that says in a response header which instance of the cluster answered. Does nothing
 * in a process that is not an instance.
 */
export function identity({ header = "X-Instance-Id" }: IdentityOptions = {}) {
  const instance = currentInstance();
  return (_request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    if (instance !== undefined) response.setHeader(header, instance.id);
    next();
  };
}
