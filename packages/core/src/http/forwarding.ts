import type { RequestHead } from "./request-head.ts";

/** What the front knows of the client connection; one frozen object per connection, since memos compare its identity. */
export interface ForwardingFacts {
  /** The socket's remote address, through {@link normaliseAddress}. */
  readonly peerAddress: string;
  /** The peer is a proxy of ours: what it says in X-Forwarded-* is believed and kept. */
  readonly peerTrusted: boolean;
  readonly encrypted: boolean;
  readonly localPort: number;
}

export function upstreamRequestHead(_head: RequestHead, _facts: ForwardingFacts): string {
  throw new Error("being written");
}

export function clientAddressOf(_head: RequestHead, _facts: ForwardingFacts): string {
  throw new Error("being written");
}

export function normaliseAddress(_address: string): string {
  throw new Error("being written");
}
