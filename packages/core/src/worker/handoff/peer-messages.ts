import type { IncomingMessage } from "node:http";
import type { ResponseHead } from "../../http/response-head.ts";
import type { HttpLimits } from "../../options/limit-options.ts";

/**
 * What of a response is read from another worker: what that worker's app may send by itself, whose heads nobody limits,
 * but not without any bound.
 */
export const peerLimits: HttpLimits = Object.freeze({
  maxHeadBytes: 262_144,
  maxTargetBytes: 8_192,
  maxHeaders: 4_096,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxChunkExtensionBytes: 1_024,
  maxTrailerBytes: 65_536,
});

/** How a request's body goes to the other worker: as it came, since that worker's app reads the same head. */
export type PeerBody = { readonly kind: "none" } | { readonly kind: "length" } | { readonly kind: "chunked" };

/** Fields that are about one connection, not about the message. */
const ofConnection: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "upgrade"]);
const ofResponseFraming: ReadonlySet<string> = new Set([...ofConnection, "transfer-encoding", "te"]);

/** Nothing that a parser let through by leniency may make two messages of one. */
const endsLine = /[\r\n\0]/;

export function peerBodyOf({ headers }: IncomingMessage): PeerBody {
  if (headers["transfer-encoding"] !== undefined) return { kind: "chunked" };
  return { kind: headers["content-length"] === undefined ? "none" : "length" };
}

/**
 * The head of a request as another worker gets it, latin1: as it came, but for the fields of the connection it came on.
 * `connection` is that field for the connection to the worker. Undefined: it cannot be passed on.
 */
export function peerRequestHead(request: IncomingMessage, body: PeerBody, connection: string): string | undefined {
  const { method = "GET", url = "/", rawHeaders, httpVersionMinor } = request;
  let head = `${method} ${url} HTTP/1.1\r\n`;
  if (endsLine.test(url)) return undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const value = rawHeaders[index + 1]!;
    if (endsLine.test(name) || endsLine.test(value)) return undefined;
    const lower = name.toLowerCase();
    if (ofConnection.has(lower) && !(lower === "upgrade" && connection !== "")) continue;
    // Nobody of HTTP/1.0 waits for a 100, whatever he says.
    if (lower === "expect" && httpVersionMinor === 0) continue;
    if (lower === "content-length" && body.kind === "chunked") continue;
    head += `${name}: ${value}\r\n`;
  }
  // An HTTP/1.0 request may come without, and the other worker gets HTTP/1.1.
  if (request.headers.host === undefined) head += "Host: \r\n";
  if (connection !== "") head += `Connection: ${connection}\r\n`;
  return `${head}\r\n`;
}

/** Name, value, name, value … of a response for the client; whether trailers can follow depends on that client. */
export function clientFields(head: ResponseHead, takesTrailers: boolean): string[] {
  const { headers } = head;
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const lower = headers[index]!.toLowerCase();
    if (ofResponseFraming.has(lower) && !(lower === "upgrade" && head.status === 426)) continue;
    if (lower === "trailer" && !(takesTrailers && head.framing.kind === "chunked")) continue;
    kept.push(headers[index]!, headers[index + 1]!);
  }
  return kept;
}

/** Lines that end in CRLF, as name and value each. */
export function pairsOf(lines: string): [name: string, value: string][] {
  return lines
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
}
