import { connect, type Socket } from "node:net";
import type { Clock } from "../../model/clock.ts";
import type { Address } from "../../model/endpoint.ts";
import { LbError } from "../../model/errors.ts";
import { addressText } from "../../model/listener-address.ts";
import type { EndpointTls } from "../../tls/endpoint-tls.ts";
import { distrust } from "../../tls/untrusted.ts";

export interface ConnectionOptions {
  readonly address: Address;
  /** Undefined: in the clear. */
  readonly tls: EndpointTls | undefined;
  /** What goes before anything else, the handshake included. */
  readonly preface: Buffer | undefined;
  readonly clock: Clock;
  /** Until it is open, handshake included. */
  readonly timeoutMs: number;
  /** It is open, and nothing was written to it but what goes before a request. */
  opened(socket: Socket): void;
  failed(error: Error): void;
}

/** From one attempt to connect to the next, where a host has several addresses (RFC 8305 §5). */
const nextAddressMs = 250;

/**
 * Opens a connection: to the first address of a host that answers, with a handshake where asked for. Makes one of the two calls, in a later turn, unless the call that is returned has given it up before.
 */
export function openConnection(options: ConnectionOptions): () => void {
  const { address, tls, preface, clock, timeoutMs } = options;
  let pending = true;
  const raw = connect({
    // A tunnel's two directions end one by one.
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressMs,
    ...(address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port }),
  });
  const settle = (): boolean => {
    const first = pending;
    pending = false;
    timer.cancel();
    return first;
  };
  const fail = (error: Error) => {
    if (!settle()) return;
    raw.destroy();
    options.failed(error);
  };
  const timer = clock.after(timeoutMs, () => {
    const what = raw.connecting ? "the connection" : "the handshake";
    fail(new LbError("LB_CONNECT", `connect timeout: ${what} to ${addressText(address)} took over ${timeoutMs} ms`));
  });
  // Also of what is found to be wrong later, which the socket that is handed on tells.
  raw.on("error", (error) => fail(connectError(error, address)));
  raw.once("close", () => fail(new LbError("LB_CONNECT", `${addressText(address)} closed the connection`)));
  raw.once("connect", () => {
    if (preface !== undefined) raw.write(preface);
    if (tls === undefined) {
      if (settle()) options.opened(raw);
      return;
    }
    const socket = tls.secure(raw);
    socket.on("error", (error) => fail(distrust(error, tls.servername) ?? connectError(error, address)));
    socket.once("secureConnect", () => {
      // A key that was pinned and is another one has ended it by now.
      if (!socket.destroyed && settle()) options.opened(socket);
    });
  });
  return () => {
    if (settle()) raw.destroy();
  };
}

/** Where a host has several addresses, and none of them answers, Node says so in an error without a message. */
function connectError(error: Error, address: Address): LbError {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return new LbError("LB_CONNECT", `Cannot connect to ${addressText(address)}: ${first.message}`, { cause: error });
}
