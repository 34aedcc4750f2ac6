import { BodyReader } from "../../src/http/body-reader.ts";
import { type ForwardingFacts, upstreamRequestHead } from "../../src/http/forwarding.ts";
import type { BadResponse, Rejection } from "../../src/http/rejection.ts";
import { type RequestHead, RequestHeadParser } from "../../src/http/request-head.ts";
import { checkWebSocketRequest } from "../../src/http/websocket.ts";
import type { HttpLimits } from "../../src/options/limit-options.ts";
import { defaultHttpLimits } from "./default-settings.ts";

/** What the `http` layer makes of the first request in some bytes. */
export type RequestReading =
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  | { readonly kind: "incomplete" }
  | {
      readonly kind: "accepted";
      readonly head: RequestHead;
      /** What goes upstream, latin1. */
      readonly upstreamHead: string;
      readonly upstreamBody: string;
      /** The body without its coding, latin1. */
      readonly payload: string;
      /** Bytes of the request, from the first on. */
      readonly byteLength: number;
    };

export interface ReadRequestOptions {
  readonly limits?: HttpLimits;
  readonly facts?: ForwardingFacts;
  /** Positions after which the bytes arrive in a further piece, ascending. Default: all at once. */
  readonly splits?: readonly number[];
  /** One that has read other heads before. Default: a new one. */
  readonly parser?: RequestHeadParser;
}

export const untrustedPeer: ForwardingFacts = Object.freeze({
  peerAddress: "203.0.113.9",
  peerTrusted: false,
  encrypted: false,
  localPort: 3000,
});

/** Bytes behind a request for an upgrade, which only the front can see arrive. */
const pipelinedUpgrade: Rejection = {
  kind: "rejection",
  status: 400,
  fault: "upgrade-body",
  code: "front.upgrade",
  detail: "",
};

/** Reads the first request in `bytes` as the front would, in the pieces that `splits` makes of them. */
export function readRequest(bytes: Buffer, options: ReadRequestOptions = {}): RequestReading {
  const { limits = defaultHttpLimits, facts = untrustedPeer, splits = [] } = options;
  const parser = options.parser ?? new RequestHeadParser(limits);
  parser.reset();
  const ends = [...splits, bytes.length];
  for (const [piece, end] of ends.entries()) {
    // Each piece comes in a buffer of its own, at another place in it: nothing may depend on either.
    const offset = piece % 7;
    const buffer = Buffer.concat([Buffer.alloc(offset, "\n"), bytes.subarray(0, end), Buffer.from("\r\n: ")]);
    const result = parser.parse(buffer, offset, offset + end);
    if (result === undefined) continue;
    if ("kind" in result) return { kind: "rejected", rejection: result };
    const refusal = checkWebSocketRequest(result);
    if (refusal !== undefined) return { kind: "rejected", rejection: refusal };
    if (result.upgrade !== undefined && result.byteLength < bytes.length) {
      return { kind: "rejected", rejection: pipelinedUpgrade };
    }
    const body = bytes.subarray(result.byteLength);
    const bodySplits = ends.slice(piece).map((at) => at - result.byteLength);
    const framed = readBody(body, bodySplits, result, limits, "framed");
    if (framed.kind !== "complete") return framed;
    const payload = readBody(body, bodySplits, result, limits, "payload");
    if (payload.kind !== "complete" || payload.consumed !== framed.consumed) {
      throw new Error("What is emitted changed what is read.");
    }
    return {
      kind: "accepted",
      head: result,
      upstreamHead: upstreamRequestHead(result, facts),
      upstreamBody: framed.emitted,
      payload: payload.emitted,
      byteLength: result.byteLength + framed.consumed,
    };
  }
  return { kind: "incomplete" };
}

type BodyReading =
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  | { readonly kind: "incomplete" }
  | { readonly kind: "complete"; readonly emitted: string; readonly consumed: number };

function readBody(
  body: Buffer,
  ends: readonly number[],
  head: RequestHead,
  limits: HttpLimits,
  emit: "framed" | "payload",
): BodyReading {
  const reader = new BodyReader();
  reader.reset(head.framing, { limits, emit, role: "request" });
  let emitted = "";
  const sink = {
    bodyBytes(buffer: Buffer, start: number, end: number) {
      if (end <= start) throw new Error("An empty range was emitted.");
      emitted += buffer.toString("latin1", start, end);
    },
  };
  let at = 0;
  for (const end of ends) {
    at = reader.read(body, at, end, sink);
    const failure = reader.failure;
    if (failure !== undefined) return { kind: "rejected", rejection: asRejection(failure) };
    if (reader.complete) return { kind: "complete", emitted, consumed: at };
    if (at !== end) throw new Error(`The body stopped being read at ${at} of ${end}.`);
  }
  return { kind: "incomplete" };
}

function asRejection(failure: Rejection | BadResponse): Rejection {
  if (failure.kind === "rejection") return failure;
  throw new Error(`A request body failed like a response: ${failure.code}`);
}
