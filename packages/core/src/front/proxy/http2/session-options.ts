import type { ServerSessionOptions } from "node:http2";
import type { Http2Settings } from "../../../options/http2-options.ts";
import type { LimitSettings } from "../../../options/limit-options.ts";

/** Pseudo-header fields, of which a request has five at most, and those that are joined into one. */
const besides = 64;

/** So many seconds' worth may come at once of what is bounded by the second. */
export const burstSeconds = 10;

/**
 * How Node's HTTP/2 is to be bounded. What is refused by our own parser, with a status, is let through to it: the bounds on
 * heads here are twice those there, and beyond them a stream is reset.
 */
export function sessionOptions(http2: Http2Settings, limits: LimitSettings): ServerSessionOptions {
  const { maxStreams, windowBytes, maxResetsPerSecond } = http2;
  return {
    // What unread bodies may hold, in megabytes, beside what Node allows for heads and what is written.
    maxSessionMemory: 10 + Math.ceil((maxStreams * windowBytes) / 1_000_000),
    maxHeaderListPairs: limits.maxHeaders * 2 + besides,
    maxSessionInvalidFrames: 100,
    // What comes in one read is counted there, before we hear of any of it.
    streamResetBurst: maxResetsPerSecond * burstSeconds,
    streamResetRate: maxResetsPerSecond,
    maxSettings: 32,
    // Never to throw for what an app sends; Node 22 does not know this, so repeats are left out in http2-response.ts too.
    strictSingleValueFields: false,
    settings: {
      maxConcurrentStreams: maxStreams,
      initialWindowSize: windowBytes,
      maxHeaderListSize: limits.maxHeadBytes * 2,
      enableConnectProtocol: true,
    },
  } as ServerSessionOptions;
}
