import { namesHost } from "../http/host-list.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { FrontSettings } from "./settings.ts";
import { webSocketRefusal } from "./web-socket-admission.ts";

/** The status to refuse a well-formed request with, because of what the settings allow; undefined: it may pass. */
export function refusalOf(request: RequestHead, { allowedHosts, allowedOrigins }: FrontSettings): number | undefined {
  if (allowedHosts !== undefined && !namesHost(request.host, allowedHosts)) return 421;
  return request.upgrade === "websocket" ? webSocketRefusal(request, allowedOrigins) : undefined;
}
