import { BodyReader } from "../../src/http/body-reader.ts";
import { downstreamResponseHead } from "../../src/http/downstream.ts";
import type { BadResponse, Rejection } from "../../src/http/rejection.ts";
import { type ResponseHead, ResponseHeadParser } from "../../src/http/response-head.ts";
import { defaultHttpLimits } from "./default-settings.ts";

/** What the `http` layer makes of one response, interim ones before it included, on a connection that then closes. */
export type ResponseReading =
  | { readonly kind: "refused"; readonly cause: BadResponse | Rejection }
  | { readonly kind: "incomplete" }
  | {
      readonly kind: "accepted";
      readonly head: ResponseHead;
      readonly interim: readonly number[];
      /** What an HTTP/1.1 client gets whose connection is to be kept, latin1. */
      readonly downstreamHead: string;
      readonly downstreamBody: string;
      /** The body without its coding, latin1. */
      readonly payload: string;
      readonly byteLength: number;
    };

export interface ReadResponseOptions {
  readonly method?: string;
  /** Positions after which the bytes arrive in a further piece, ascending. Default: all at once. */
  readonly splits?: readonly number[];
  /** One that has read other heads before. Default: a new one. */
  readonly parser?: ResponseHeadParser;
}

export function readResponse(bytes: Buffer, options: ReadResponseOptions = {}): ResponseReading {
  const { method = "GET", splits = [], parser = new ResponseHeadParser(defaultHttpLimits) } = options;
  parser.reset();
  const ends = [...splits, bytes.length];
  const interim: number[] = [];
  let start = 0;
  for (const [piece, end] of ends.entries()) {
    const offset = piece % 7;
    const buffer = Buffer.concat([Buffer.alloc(offset, "\n"), bytes.subarray(0, end), Buffer.from("\r\n: ")]);
    for (;;) {
      const head = parser.parse(buffer, offset + start, offset + end, method);
      if (head === undefined) break;
      if ("kind" in head) return { kind: "refused", cause: head };
      start += head.byteLength;
      if (head.interim) {
        interim.push(head.status);
        continue;
      }
      const body = bytes.subarray(start);
      const bodyEnds = ends.slice(piece).map((at) => at - start);
      const framed = readBody(body, bodyEnds, head, "framed");
      if (framed.kind !== "complete") return framed;
      const payload = readBody(body, bodyEnds, head, "payload");
      if (payload.kind !== "complete" || payload.consumed !== framed.consumed) {
        throw new Error("What is emitted changed what is read.");
      }
      return {
        kind: "accepted",
        head,
        interim,
        downstreamHead: downstreamResponseHead(head, { clientMinorVersion: 1, keepAlive: true, extra: "" }),
        downstreamBody: framed.emitted,
        payload: payload.emitted,
        byteLength: start + framed.consumed,
      };
    }
  }
  return { kind: "incomplete" };
}

type BodyReading =
  | { readonly kind: "refused"; readonly cause: BadResponse | Rejection }
  | { readonly kind: "incomplete" }
  | { readonly kind: "complete"; readonly emitted: string; readonly consumed: number };

function readBody(body: Buffer, ends: readonly number[], head: ResponseHead, emit: "framed" | "payload"): BodyReading {
  const reader = new BodyReader();
  reader.reset(head.framing, { limits: defaultHttpLimits, emit, role: "response" });
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
    if (reader.failure !== undefined) return { kind: "refused", cause: reader.failure };
    if (reader.complete) return { kind: "complete", emitted, consumed: at };
    if (at !== end) throw new Error(`The body stopped being read at ${at} of ${end}.`);
  }
  return reader.closed() ? { kind: "complete", emitted, consumed: at } : { kind: "incomplete" };
}
