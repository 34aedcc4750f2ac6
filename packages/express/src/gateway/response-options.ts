import type { Readable } from "node:stream";
import type { HeaderFields } from "./header-options.ts";

/** What a target answered, before the client sees any of it. The body can be had once, without its content codings. */
export interface TargetResponse {
  readonly status: number;
  /** By lower-case name, as the client would get them; several lines of one name are a list. */
  readonly headers: HeaderFields;
  /** The URL of the target. */
  readonly target: string;
  /** The whole body, of at most `limits.maxRewrittenBytes`. */
  bytes(): Promise<Buffer>;
  /** The same as text, by the charset that Content-Type has. */
  text(): Promise<string>;
  /** The body as it comes; it is not bounded. */
  stream(): Readable;
}

/** What of a response is something else for the client. */
export interface ResponseChange {
  readonly status?: number;
  /** Fields in place of those of the same name; undefined leaves one out. */
  readonly headers?: HeaderFields;
  /** It is sent with the content codings that Content-Encoding has; texts are UTF-8. */
  readonly body?: string | Uint8Array | Readable;
}

/**
 * Undefined: the client gets the response as it is. `"next"`: nothing of it; the request is left to what comes next in the app.
 */
export type ResponseVerdict = ResponseChange | "next" | undefined;

export type ResponseHook<Request = unknown> = (
  response: TargetResponse,
  request: Request,
) => ResponseVerdict | PromiseLike<ResponseVerdict>;
