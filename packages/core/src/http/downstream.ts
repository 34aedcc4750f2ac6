import type { ResponseHead } from "./response-head.ts";

export interface DownstreamOptions {
  readonly clientMinorVersion: 0 | 1;
  /** The client connection stays open after this response, as far as its framing allows. */
  readonly keepAlive: boolean;
  /** Complete header lines, each ending in CRLF, or "". */
  readonly extra: string;
}

export function downstreamResponseHead(_head: ResponseHead, _options: DownstreamOptions): string {
  throw new Error("being written");
}

export function passesVerbatim(_head: ResponseHead, _options: DownstreamOptions): boolean {
  throw new Error("being written");
}
