import { describe, expect, it } from "vitest";
import { ProxyFront } from "../src/front/proxy/proxy-front.ts";
import { createLinkTransport } from "../src/front/transport/link-transport.ts";
import { systemClock } from "../src/model/clock.ts";
import type { ConnectionScenario } from "./support/connection-scenario.ts";
import { defaultFrontSettings } from "./support/default-settings.ts";
import { frameworkScenarios } from "./support/framework-scenarios.ts";
import { httpScenarios } from "./support/http-scenarios.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { createTestBalancer } from "./support/test-balancer.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

/** The scenarios of `link-parity.test.ts`, which have to see the same behind the whole front. */
describe.each([
  ["HTTP", httpScenarios],
  ["sockets", socketScenarios],
  ["tunnels", tunnelScenarios],
  ["frameworks", frameworkScenarios],
])("behind the front, as on a connection of its own: %s", (_, scenarios) => {
  it.each(scenarios.filter(({ scope }) => scope !== "connection"))("$name", async (scenario: ConnectionScenario) => {
    const server = await scenario.app();
    const { endpoint, path, stop } = await openLinkEndpoint(server);
    const balancer = createTestBalancer();
    const failures: Error[] = [];
    const front = new ProxyFront({
      clock: systemClock,
      balancer,
      settings: { ...defaultFrontSettings, host: "127.0.0.1", port: 0 },
      backend: () => ({
        transport: createLinkTransport({
          endpoint,
          path,
          clock: systemClock,
          onDown: (error) => failures.push(error),
        }),
        responseLines: "",
      }),
      observer: { acceptFailed: (error) => failures.push(error) },
    });
    front.update([endpoint]);
    balancer.update([endpoint]);
    const [port] = (await front.listen()) as readonly [number];
    try {
      expect(await scenario.run({ port, server })).toEqual(scenario.expected);
    } finally {
      await front.close(0);
      balancer.close();
      await stop();
    }
    expect(failures).toEqual([]);
  });
});
