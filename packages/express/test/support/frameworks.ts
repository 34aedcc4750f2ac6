import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express from "express";

import fastify from "fastify";
import { onTestFinished } from "vitest";
import { lbFastify } from "../../src/fastify.ts";
import { type Balance, type BalanceOptions, balance } from "../../src/index.ts";

export interface GatewayOptions extends BalanceOptions {
  /** Where the balancer is mounted; default: at the root. */
  readonly mount?: string;
  /** Whether the app trusts its peers to set forwarding headers. */
  readonly trustProxy?: boolean;
  /** Parse bodies before the balancer gets to see them. */
  readonly parseBodies?: boolean;
}

export interface RunningGateway {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly gateway: Pick<Balance, "balancer" | "status" | "close">;
}

/** A framework that a gateway can be part of. */
export interface Framework {
  readonly name: string;
  startGateway(options: GatewayOptions): Promise<RunningGateway>;
}

function expressFramework(name: string, create: typeof express): Framework {
  return {
    name,
    async startGateway({ mount = "/", trustProxy = false, parseBodies = false, ...options }) {
      const app = create();
      app.set("trust proxy", trustProxy);
      if (parseBodies)
        app.use(create.json(), create.urlencoded({ extended: true }), create.raw({ type: "application/octet-stream" }));
      const gateway = balance(options);
      app.use(mount, gateway);
      const server = app.listen(0, "127.0.0.1");
      return { ...(await listening(server)), gateway: closing(gateway) };
    },
  };
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
  async startGateway({ mount = "/", trustProxy = false, parseBodies: _, ...options }) {
    const app = fastify({ trustProxy, exposeHeadRoutes: false });
    const prefix = mount === "/" ? "" : mount;
    await app.register(lbFastify, { prefix, ...options });
    await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close());
    const gateway = app.gateways.get(mount) as RunningGateway["gateway"];
    return { ...(await listening(app.server)), gateway };
  },
};

export const frameworks: readonly Framework[] = [...expressFrameworks, fastifyFramework];
