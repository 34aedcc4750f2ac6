import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";
import type { UpstreamAnswer } from "./attempt.ts";

/** RFC 6455 §1.3. */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Whether the request asks for a WebSocket and for no other protocol. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.trim().toLowerCase() === "websocket";
}

/** Why a WebSocket is not to be opened, before anybody is asked; undefined: nothing speaks against it. */
export function handshakeFault(
  { headers }: IncomingMessage,
  allowedOrigins: ReadonlySet<string> | undefined,
): GatewayError | undefined {
  const key = headers["sec-websocket-key"];
  if (key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    return new GatewayError("LB_REQUEST_INVALID", "Sec-WebSocket-Key is missing, or not 16 bytes in base64");
  }
  const version = headers["sec-websocket-version"];
  if (version !== "13") return new GatewayError("LB_WEBSOCKET_VERSION", `WebSocket version is ${version ?? "missing"}`);
  if (allowedOrigins === undefined) return undefined;
  const { origin } = headers;
  if (origin !== undefined && allowedOrigins.has(origin)) return undefined;
  return new GatewayError("LB_ORIGIN", "The origin of the WebSocket is not among allowedOrigins");
}

/** Whether a 101 is the answer to this very handshake (RFC 6455 §4.1). */
export function acceptsHandshake(request: IncomingMessage, { headers }: Pick<UpstreamAnswer, "headers">): boolean {
  const expected = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${guid}`).digest("base64");
  return String(headers.upgrade).toLowerCase() === "websocket" && headers["sec-websocket-accept"] === expected;
}
