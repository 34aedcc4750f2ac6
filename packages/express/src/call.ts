import type { IncomingMessage, ServerResponse } from "node:http";
import { addressKey, addressOfEntry, normaliseAddress } from "@lb/core";
import type { GatewayError } from "./errors.ts";

/** A whole answer of our own. */
export interface Answer {
  readonly status: number;
  /** Field names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One request as the framework sees it: what a mount left of its target, and whom the framework trusts. Bindings
 * implement it with getters, since most requests ask for little of it.
 */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the framework calls a request, which functions of the options get. */
  readonly frameworkRequest: unknown;
  /** The parameters of the route, decoded. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Path and query without the mount's prefix. */
  readonly target: string;
  /** Path and query as received. */
  readonly originalTarget: string;
  /** What is before `target` in the original path: `""`, or a path without a slash at its end. */
  readonly mountPath: string;
  /** The framework trusts the peer to set forwarding headers: Express's `trust proxy`, Fastify's `trustProxy`. */
  readonly peerTrusted: boolean;
  /** The client's address, as far as those who forwarded it are trusted; normalised, without a port. */
  readonly clientAddress: string;
  /** The client's own connection is TLS, as far as those who forwarded it are trusted. */
  readonly encrypted: boolean;
  /** What a body parser made of the body, or a stream that takes the request's place. */
  readonly body: unknown;
  /** The bytes that it was made of, where somebody has kept them. */
  readonly rawBody: Buffer | undefined;
  /** Sets a field of the response, whoever answers. */
  setHeader(name: string, value: string): void;
  /** The response is ours from here on: what others set for it is in `response` then, and they add nothing more. */
  takeResponse(): void;
  /** Calls `over` once: when the response has ended, or the WebSocket that took its place has closed. */
  onceOver(over: () => void): void;
  /** Sends an answer in place of the app's. */
  answer(answer: Answer): void;
  /** Leaves the request to what comes after this in the app: what is mounted later, or who answers for what is not found. */
  passOn(): void;
  /** Leaves an error to the framework's error handling. */
  fail(error: GatewayError): void;
  /** Tells the framework's log, if it has one, why the request failed. `heard`: the app's own `onError` knows. */
  log(error: GatewayError, heard: boolean): void;
}

/**
 * What the framework has as the client's address. It may be an entry of X-Forwarded-For, where some proxies add a port, which is
 * another one with each connection; what is no address there says nothing, and the peer is the client.
 */
export function clientAddressOf(found: string | undefined, { socket }: IncomingMessage): string {
  const peer = socket.remoteAddress ?? "";
  return (found === undefined ? undefined : addressOfEntry(found)) ?? normaliseAddress(peer);
}

/** Looks at a call before the app does; an answer ends it. */
export type Guard = (call: Call) => Answer | undefined | Promise<Answer | undefined>;

/**
 * What tables of clients know a client by: its address, or the /64 that it is in, since whoever has one IPv6 address has
 * all of those.
 */
export function clientKey(call: Call): string {
  return addressKey(call.clientAddress, { ipv4PrefixLength: 32, ipv6PrefixLength: 64 });
}
