import { once } from "node:events";
import type { Server } from "node:http";
import { describe, expect, it } from "vitest";
import type { ConnectionScenario } from "./support/connection-scenario.ts";
import { frameworkScenarios } from "./support/framework-scenarios.ts";
import { httpScenarios } from "./support/http-scenarios.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { openRawLinkFront } from "./support/raw-link-front.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

/** Makes the server reachable, and says where. */
type Way = (server: Server) => Promise<{ readonly port: number; close(): Promise<void> }>;

const overTcp: Way = async (server) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return {
    port: address.port,
    async close() {
      server.closeAllConnections();
      if (server.listening) await once(server.close(), "close");
    },
  };
};

const overLink: Way = async (server) => {
  const worker = await openLinkEndpoint(server);
  const front = await openRawLinkFront(worker.path);
  return {
    port: front.port,
    async close() {
      front.close();
      await worker.stop();
    },
  };
};

async function observe({ app, run }: ConnectionScenario, open: Way): Promise<unknown> {
  const server = await app();
  const way = await open(server);
  try {
    return await run({ port: way.port, server });
  } finally {
    await way.close();
  }
}

describe.each([
  ["HTTP", httpScenarios],
  ["sockets", socketScenarios],
  ["tunnels", tunnelScenarios],
  ["frameworks", frameworkScenarios],
])("as on a connection of its own: %s", (_, scenarios) => {
  it.each(scenarios)("$name", async (scenario) => {
    const tcp = await observe(scenario, overTcp);
    const link = await observe(scenario, overLink);
    expect(tcp).toEqual(scenario.expected);
    expect(link).toEqual(tcp);
  });
});
