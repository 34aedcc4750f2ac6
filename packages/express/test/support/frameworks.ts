import type { IncomingHttpHeaders, Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express from "express";

import fastify, { type FastifyPluginAsync } from "fastify";
import { onTestFinished } from "vitest";
import * as ownFastify from "../../src/fastify.ts";
import * as ownExpress from "../../src/index.ts";

export interface Guards {
  readonly identity?: ownExpress.IdentityOptions;
  readonly health?: ownExpress.HealthRouteOptions<never>;
  readonly overload?: ownExpress.OverloadOptions;
  readonly drain?: ownExpress.DrainOptions;
  readonly connectionLimit?: ownExpress.ConnectionLimitOptions;
  readonly httpsRedirect?: ownExpress.HttpsRedirectOptions;
  readonly rateLimit?: ownExpress.RateLimitOptions<never>;
}

/** What requests of all frameworks have. */
export interface CommonRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly params?: unknown;
}

export interface GatewayOptions extends ownExpress.BalanceOptions<CommonRequest> {
  /** Where the balancer is mounted; default: at the root. */
  readonly mount?: string;
  /** Whether the app trusts its peers to set forwarding headers. */
  readonly trustProxy?: boolean;
  /** Stand before the balancer, in this order. */
  readonly guards?: Guards;
  /** Another balancer, mounted behind this one. Express only. */
  readonly next?: ownExpress.BalanceOptions<CommonRequest>;
  /** Parse bodies before the balancer gets to see them. */
  readonly parseBodies?: boolean | "keeping the bytes" | "any JSON";
}

export interface RunningGateway {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly gateway: Pick<ownExpress.Balance, "balancer" | "status" | "close">;
  /** Of the rate limit among the guards. */
  readonly limiter?: ownExpress.RateLimiter | undefined;
  /** Of `health` among the guards. */
  readonly readiness?: ownExpress.Readiness | undefined;
}

/** A framework that a gateway can be part of. */
export interface Framework {
  readonly name: string;
  startGateway(options: GatewayOptions): Promise<RunningGateway>;
}

function expressFramework(name: string, create: typeof express): Framework {
  return {
    name,
    async startGateway({ mount = "/", trustProxy = false, parseBodies = false, guards, next, ...options }) {
      const app = create();
      app.set("trust proxy", trustProxy);
      if (parseBodies !== false) {
        const keep = (request: object, _: unknown, bytes: Buffer) => Object.assign(request, { rawBody: bytes });
        const how = parseBodies === "keeping the bytes" ? { verify: keep } : {};
        const strict = parseBodies !== "any JSON";
        app.use(create.json({ strict, ...how }), create.urlencoded({ extended: true, ...how }));
        app.use(create.text({ ...how }), create.raw({ type: "application/octet-stream", ...how }));
      }
      let limiter: ownExpress.RateLimiter | undefined;
      let readiness: ownExpress.Readiness | undefined;
      for (const [name, given] of guardsOf(guards)) {
        const mounted = expressGuards[name](given);
        if (name === "rateLimit") limiter = mounted as unknown as ownExpress.RateLimiter;
        if (name === "health") readiness = closing(mounted as unknown as ownExpress.Readiness);
        app.use(mounted);
      }
      const gateway = ownExpress.balance(options);
      app.use(mount, gateway);
      if (next !== undefined) app.use(mount, closing(ownExpress.balance(next)));
      const server = app.listen(0, "127.0.0.1");
      return { ...(await listening(server)), gateway: closing(gateway), limiter, readiness };
    },
  };
}

const { identity, health, overload, drain, connectionLimit, httpsRedirect, rateLimit } = ownExpress;
const expressGuards: Record<keyof Guards, (options: never) => ownExpress.Middleware> = {
  identity,
  health,
  overload,
  drain,
  connectionLimit,
  httpsRedirect,
  rateLimit,
};

const fastifyGuards: Record<keyof Guards, FastifyPluginAsync<never>> = {
  identity: ownFastify.identity,
  health: ownFastify.health,
  overload: ownFastify.overload,
  drain: ownFastify.drain,
  connectionLimit: ownFastify.connectionLimit,
  httpsRedirect: ownFastify.httpsRedirect,
  rateLimit: ownFastify.rateLimit,
};

function guardsOf(guards: Guards = {}): [keyof Guards, never][] {
  return Object.entries(guards) as [keyof Guards, never][];
}

/** Waits until `server` listens; it is closed after the test. */
export async function listening(server: Server): Promise<Omit<RunningGateway, "gateway">> {
  if (!server.listening) await new Promise((ready) => server.once("listening", ready));
  onTestFinished(
    () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}` };
}

function closing<Gateway extends { close(): Promise<void> }>(gateway: Gateway): Gateway {
  onTestFinished(() => gateway.close());
  return gateway;
}

export const expressFrameworks: readonly Framework[] = [
  expressFramework("Express 5", express),
  expressFramework("Express 4", createRequire(import.meta.url)("express4") as typeof express),
];

const fastifyFramework: Framework = {
  name: "Fastify 5",
  async startGateway({ mount = "/", trustProxy = false, parseBodies: _, next: __, guards, ...options }) {
    const app = fastify({ trustProxy, exposeHeadRoutes: false });
    const prefix = mount === "/" ? "" : mount;
    for (const [name, given] of guardsOf(guards)) await app.register(fastifyGuards[name], given);
    await app.register(ownFastify.lbFastify, { prefix, ...options });
    await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close());
    const gateway = app.gateways.get(mount) as RunningGateway["gateway"];
    const [limiter] = app.rateLimits?.values() ?? [];
    return { ...(await listening(app.server)), gateway, limiter, readiness: app.readiness };
  },
};

export const frameworks: readonly Framework[] = [...expressFrameworks, fastifyFramework];
