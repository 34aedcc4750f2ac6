import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../model/clock.ts";
import type { Address } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import { addressText } from "../model/listener-address.ts";
import type { EndpointTls } from "./endpoint-tls.ts";
import { distrust } from "./untrusted.ts";

export interface ConnectionOptions {
  readonly address: Address;
  /** Undefined: in the clear. */
  readonly tls: EndpointTls | undefined;
  /** What goes before anything else, the handshake included. */
  readonly preface: Buffer | undefined;
  readonly clock: Clock;
  /** Until it is open, handshake included. Undefined: the call that is returned says when it has taken too long. */
  readonly timeoutMs: number | undefined;
  /** Does not keep the process alive. */
  readonly unref?: true;
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
  if (options.unref === true) raw.unref();
  const settle = (): boolean => {
    const first = pending;
    pending = false;
    timer?.cancel();
    return first;
  };
  const fail = (error: Error) => {
    if (!settle()) return;
    raw.destroy();
    options.failed(error);
  };
  const expired = (ms: number) => {
    const what = raw.connecting ? "the connection" : "the handshake";
    fail(new LbError("LB_CONNECT", `connect timeout: ${what} to ${addressText(address)} took over ${ms} ms`));
  };
  const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => expired(timeoutMs));
  // Also of what is found to be wrong later, which the socket that is handed on tells.
  raw.on("error", (error) => fail(firstOf(error)));
  raw.once("close", () => fail(new LbError("LB_CONNECT", `${addressText(address)} closed the connection`)));
  raw.once("connect", () => {
    if (preface !== undefined) raw.write(preface);
    if (tls === undefined) {
      if (settle()) options.opened(raw);
      return;
    }
    let socket: TLSSocket;
    try {
      socket = tls.secure(raw);
    } catch (error) {
      // What it is made of cannot be used.
      fail(error as Error);
      return;
    }
    socket.on("error", (error) => fail(distrust(error, tls.servername) ?? firstOf(error)));
    socket.once("secureConnect", () => {
      // A key that was pinned and is another one has ended it by now.
      if (!socket.destroyed && settle()) options.opened(socket);
    });
  });
  return () => {
    if (settle()) raw.destroy();
  };
}

/** Where a host has several addresses, and none of them answers, Node says so in an error that says nothing. */
function firstOf(error: Error): Error {
  return error instanceof AggregateError ? (error.errors[0] as Error) : error;
}
