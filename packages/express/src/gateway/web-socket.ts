import type { IncomingMessage } from "node:http";
import { acceptsWebSocket, allowsOrigin, checkWebSocketRequest } from "@lb/core/kit";
import { GatewayError } from "../errors.ts";
import type { UpstreamAnswer } from "./attempt.ts";

/** Whether the request asks for a WebSocket and for no other protocol. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && protocolOf(headers.upgrade) === "websocket";
}

/** Why a WebSocket is not to be opened, before anybody is asked; undefined: nothing speaks against it. */
export function handshakeFault(
  { method = "", headers }: IncomingMessage,
  allowedOrigins: ReadonlySet<string> | undefined,
): GatewayError | undefined {
  const rejection = checkWebSocketRequest({ method, upgrade: protocolOf(headers.upgrade), header: fieldsOf(headers) });
  if (rejection !== undefined) {
    return new GatewayError(rejection.status === 426 ? "LB_WEBSOCKET_VERSION" : "LB_REQUEST_INVALID", rejection.detail);
  }
  if (allowsOrigin(headers.origin, allowedOrigins)) return undefined;
  return new GatewayError("LB_ORIGIN", "The origin of the WebSocket is not among allowedOrigins");
}

/** Whether a 101 is the answer to this very handshake (RFC 6455 §4.1). */
export function acceptsHandshake(request: IncomingMessage, { headers }: Pick<UpstreamAnswer, "headers">): boolean {
  const key = request.headers["sec-websocket-key"] ?? "";
  return acceptsWebSocket(key, { status: 101, upgrade: protocolOf(headers.upgrade), header: fieldsOf(headers) });
}

function protocolOf(upgrade: string | undefined): string | undefined {
  return upgrade?.trim().toLowerCase();
}

/** Undefined for a field that is not there, and for one that may be there once and is there again. */
function fieldsOf(headers: IncomingMessage["headers"]) {
  return (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  };
}
