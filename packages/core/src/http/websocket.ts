import { createHash } from "node:crypto";
import { type Rejection, rejections } from "./rejection.ts";

/** RFC 6455 §1.3. */
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A head as far as it concerns a WebSocket: `header` takes names in lower case. */
export interface HandshakeRequest {
  readonly method: string;
  /** The protocol that is asked for, in lower case. */
  readonly upgrade: string | undefined;
  header(name: string): string | undefined;
}

export interface HandshakeResponse {
  readonly status: number;
  readonly upgrade: string | undefined;
  header(name: string): string | undefined;
}

/**
 * Whether a WebSocket may be opened from there. The list is there against pages of others, which browsers name in Origin
 * always (RFC 6455 §4.1; `null` where there is none to name). Whoever sends no Origin is no browser, and could send any.
 */
export function allowsOrigin(origin: string | undefined, allowed: ReadonlySet<string> | undefined): boolean {
  return allowed === undefined || origin === undefined || allowed.has(origin);
}

/** Checks an opening handshake (RFC 6455 §4.2.1). Undefined if `head` is a good one, or asks for no WebSocket at all. */
export function checkWebSocketRequest(head: HandshakeRequest): Rejection | undefined {
  if (head.upgrade !== "websocket") return undefined;
  if (head.method !== "GET") return rejections["websocket-method"];
  if (head.header("sec-websocket-version") !== "13") return rejections["websocket-version"];
  const key = head.header("sec-websocket-key");
  // 16 bytes in base64; two keys joined with a comma fail as well.
  return key !== undefined && /^[A-Za-z0-9+/]{22}==$/.test(key) ? undefined : rejections["websocket-key"];
}

/** Whether a 101 accepts the WebSocket that was asked for with `requestKey` (RFC 6455 §4.1). */
export function acceptsWebSocket(requestKey: string, response: HandshakeResponse): boolean {
  if (response.status !== 101 || response.upgrade !== "websocket") return false;
  return response.header("sec-websocket-accept") === acceptFor(requestKey);
}

function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + acceptSuffix)
    .digest("base64");
}
