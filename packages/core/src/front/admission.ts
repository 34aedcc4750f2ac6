import { namesHost } from "../http/host-list.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Responder, Response } from "./responder.ts";
import type { FrontSettings } from "./settings.ts";
import { webSocketRefusal } from "./web-socket-admission.ts";

/** Refuses well-formed requests that the settings do not allow. */
export class Admission implements Responder {
  readonly #settings: Pick<FrontSettings, "allowedHosts" | "allowedOrigins">;

  constructor(settings: Pick<FrontSettings, "allowedHosts" | "allowedOrigins">) {
    this.#settings = settings;
  }

  respond(request: RequestHead): Response | undefined {
    const { allowedHosts, allowedOrigins } = this.#settings;
    if (allowedHosts !== undefined && !namesHost(request.host, allowedHosts))
      return { kind: "refusal", status: 421, reason: "host-not-allowed" };
    return request.upgrade === "websocket" ? webSocketRefusal(request, allowedOrigins) : undefined;
  }
}
