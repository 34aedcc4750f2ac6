import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { absoluteForm } from "@lb/core/kit";

/** NGHTTP2_INTERNAL_ERROR (RFC 9113 §7). */
const internalError = 2;

/** Requests and responses of HTTP/2 come as `node:http2` dresses them for who knows `node:http`; where they differ is said here. */
export function isHttp2({ httpVersionMajor }: IncomingMessage): boolean {
  return httpVersionMajor === 2;
}

/** The host that the client asked, as it says. */
export function hostAsked({ url = "/", headers }: IncomingMessage): string | undefined {
  return absoluteForm(url)?.authority ?? (headers[":authority"] as string | undefined) ?? headers.host;
}

/** Whether a body comes, of which HTTP/2 need not tell the length. */
export function hasBody(request: IncomingMessage): boolean {
  const { "transfer-encoding": coding, "content-length": length } = request.headers;
  if (length !== undefined || coding !== undefined) return coding !== undefined || length !== "0";
  return isHttp2(request) && !(request as unknown as Http2ServerRequest).stream.endAfterHeaders;
}

/** Ends a response such that its reader sees that it is cut. */
export function cut(response: ServerResponse): void {
  if (isHttp2(response.req)) (response as unknown as Http2ServerResponse).stream.close(internalError);
  else response.destroy();
}

/** Nobody is there any more to read it. */
export function isGone(response: ServerResponse): boolean {
  if (isHttp2(response.req)) return (response as unknown as Http2ServerResponse).stream.destroyed;
  return response.destroyed;
}

/** Sends fields behind a response's body, if they can come there. */
export function addTrailers(response: ServerResponse, trailers: readonly [string, string][]): void {
  if (!isHttp2(response.req)) {
    if (response.chunkedEncoding) response.addTrailers(trailers);
    return;
  }
  const byName: Record<string, string[]> = Object.create(null);
  for (const [name, value] of trailers) byName[name] = [...(byName[name] ?? []), value];
  (response as unknown as Http2ServerResponse).addTrailers(byName);
}
