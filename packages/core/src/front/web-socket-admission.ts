import type { RequestHead } from "../http/request-head.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { acceptsWebSocket, allowsOrigin, checkWebSocketRequest } from "../http/websocket.ts";

/** The status to refuse a WebSocket request with; undefined: let it pass. */
export function webSocketRefusal(
  request: RequestHead,
  allowedOrigins: ReadonlySet<string> | undefined,
): number | undefined {
  if (!allowsOrigin(request.header("origin"), allowedOrigins)) return 403;
  return checkWebSocketRequest(request)?.status;
}

/** Whether a 101 is the switch that was asked for. Only then may a tunnel open. */
export function switchesAsAsked(request: RequestHead, response: ResponseHead): boolean {
  if (request.upgrade === undefined || response.upgrade !== request.upgrade) return false;
  return request.upgrade !== "websocket" || acceptsWebSocket(request.header("sec-websocket-key") ?? "", response);
}
