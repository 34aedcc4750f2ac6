import { describe, expect, it } from "vitest";
import { ProxyFront } from "../src/front/proxy/proxy-front.ts";
import { CertificateStore } from "../src/front/tls/certificate-store.ts";
import { createLinkTransport } from "../src/front/transport/link-transport.ts";
import { systemClock } from "../src/model/clock.ts";
import { httpsSchema } from "../src/options/https-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import type { ConnectionScenario } from "./support/connection-scenario.ts";
import { defaultFrontSettings } from "./support/default-settings.ts";
import { frameworkScenarios } from "./support/framework-scenarios.ts";
import { httpScenarios } from "./support/http-scenarios.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { createTestBalancer } from "./support/test-balancer.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { portsOf, testListeners } from "./support/test-listeners.ts";
import { overTls } from "./support/tls-relay.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

const suites = [
  ["HTTP", httpScenarios],
  ["sockets", socketScenarios],
  ["tunnels", tunnelScenarios],
  ["frameworks", frameworkScenarios],
] as const;
const kinds = suites.flatMap(([name, scenarios]) =>
  (["in the clear", "over TLS"] as const).map((way) => [name, way, scenarios] as const),
);

/** The scenarios of `link-parity.test.ts`, which have to see the same behind the whole front. */
describe.each(kinds)("behind the front, as on a connection of its own: %s, %s", (_, way, scenarios) => {
  it.each(scenarios.filter(({ scope }) => scope !== "connection"))("$name", async (scenario: ConnectionScenario) => {
    const server = await scenario.app();
    const { endpoint, path, stop } = await openLinkEndpoint(server);
    const balancer = createTestBalancer();
    const failures: Error[] = [];
    const certificates = [testCertificate(["DNS:a.example"])];
    const https = parseOptions(httpsSchema, { port: 0, certificates }, "https");
    const front = new ProxyFront({
      clock: systemClock,
      balancer,
      settings: { ...defaultFrontSettings, https, listeners: testListeners({ https: true }) },
      certificates: new CertificateStore(https),
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
    const [port, httpsPort] = await portsOf(front.listen());
    const { expected, expectedOverTls = expected } = scenario;
    try {
      if (way === "in the clear") expect(await scenario.run({ port, server })).toEqual(expected);
      else expect(await scenario.run({ port: await overTls(httpsPort!), server })).toEqual(expectedOverTls);
    } finally {
      await front.close(0);
      balancer.close();
      await stop();
    }
    expect(failures).toEqual([]);
  });
});
