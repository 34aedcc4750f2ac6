import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { UrlBalancer } from "@lb/core";
import { ExpressCall, type Next } from "./bindings/express-call.ts";
import { wantUpgrades } from "./bindings/server-watch.ts";
import { errorAnswer } from "./error-answer.ts";
import { GatewayError } from "./errors.ts";
import { Gateway, type GatewayStatus } from "./gateway/gateway.ts";
import type { BalanceOptions } from "./gateway/options.ts";
import { servesUpgrades, serveUpgrades } from "./gateway/upgrades.ts";
import { asksForWebSocket } from "./gateway/web-socket.ts";

/** What {@link balance} returns: middleware, and what there is to know and do about it. */
export interface Balance {
  (request: IncomingMessage, response: ServerResponse, next: Next): void;
  /** Chooses the targets: events, drains. */
  readonly balancer: UrlBalancer;
  /** Plain JSON. */
  status(): GatewayStatus;
  /**
   * Has a server's requests for WebSockets go through its app, and so through this. Needed only where that cannot be
   * seen: for a server that wraps the app in a function of its own, before its first request.
   */
  serve(server: Server): void;
  /** Refuses new requests, ends WebSockets and closes idle connections; requests under way end as they would have. */
  close(): Promise<void>;
}

/**
 * Middleware for Express, 4 and 5, and for Connect, that relays what it gets to the best of several targets:
 *
 * ```js
 * app.use("/api", balance({ targets: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"] }));
 * ```
 *
 * It answers every request that reaches it, unless an option leaves some to what comes next. WebSockets come along: their requests go through the app like all others.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function balance<Request = IncomingMessage>(options: BalanceOptions<Request>): Balance {
  const gateway = new Gateway(options);
  let lastServed: Server | undefined;
  /** Whether requests for upgrades came this way already; from now on they do. */
  const served = (server: Server | undefined): boolean => {
    if (server === undefined || server === lastServed) return true;
    lastServed = server;
    const before = servesUpgrades(server);
    serveUpgrades(server);
    return before;
  };
  const middleware = (request: IncomingMessage, response: ServerResponse, next: Next): void => {
    const call = new ExpressCall(request, response, next);
    const cameThisWay = !gateway.webSockets || served((request.socket as { server?: Server }).server);
    if (!cameThisWay && asksForWebSocket(request)) {
      const message = "The server gave its requests for WebSockets to nobody before; from now on this gets them";
      call.answer(errorAnswer(call, new GatewayError("LB_UNAVAILABLE", message, { retryAfterSeconds: 0 })));
    } else gateway.relay(call);
  };
  if (gateway.webSockets) wantUpgrades(middleware);
  return Object.assign(middleware, {
    balancer: gateway.balancer,
    status: () => gateway.status(),
    serve: serveUpgrades,
    close: () => gateway.close(),
  });
}
