import type { RequestHead } from "../http/request-head.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { acceptsWebSocket, allowsOrigin, checkWebSocketRequest } from "../http/websocket.ts";
import type { Response } from "./responder.ts";

const otherOrigin: Response = { kind: "refusal", status: 403, reason: "origin-not-allowed" };

/** What a WebSocket request is refused with; undefined: let it pass. */
export function webSocketRefusal(
  request: RequestHead,
  allowedOrigins: ReadonlySet<string> | undefined,
): Response | undefined {
  if (!allowsOrigin(request.header("origin"), allowedOrigins)) return otherOrigin;
  const rejection = checkWebSocketRequest(request);
  return rejection && { kind: "refusal", status: rejection.status, reason: rejection.fault };
}

/** Whether a 101 is the switch that was asked for. Only then may a tunnel open. */
export function switchesAsAsked(request: RequestHead, response: ResponseHead): boolean {
  if (request.upgrade === undefined || response.upgrade !== request.upgrade) return false;
  return request.upgrade !== "websocket" || acceptsWebSocket(request.header("sec-websocket-key") ?? "", response);
}
