import { options, parseOptions, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";
import { clientKey, type Guard } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";

export interface ConnectionLimitOptions {
  /**
   * Connections of one client address, or IPv6 /64, with a request under way; a WebSocket counts until it closes.
   * Default 20.
   */
  readonly perAddress?: number;
}

const schema = options({ perAddress: v.optional(wholeNumber(1), 20) });

/**
 * nginx's `limit_conn`: a connection counts while a request on it is being served, so clients behind a trusted proxy are
 * told apart although its connections are shared. Counts in this process; a cluster's own limit is
 * `limits.maxConnectionsPerAddress`.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function connectionLimitGuard(input: ConnectionLimitOptions = {}): Guard {
  const { perAddress } = parseOptions(schema, input);
  // Bounded by the requests under way: whoever has none is not in it.
  const open = new Map<string, number>();
  return (call) => {
    const address = clientKey(call);
    const count = open.get(address) ?? 0;
    if (count >= perAddress) {
      const message = `${address} has ${count} connections in use`;
      return errorAnswer(call, new GatewayError("LB_CONNECTION_LIMITED", message, { retryAfterSeconds: 1 }));
    }
    open.set(address, count + 1);
    call.onceOver(() => {
      const left = open.get(address)! - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    return undefined;
  };
}
