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
import { overHttp2 } from "./support/http2-gateway.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { createTestBalancer } from "./support/test-balancer.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { portsOf, testListeners } from "./support/test-listeners.ts";
import { overTls, type Way } from "./support/tls-relay.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

const suites = [
  ["HTTP", httpScenarios],
  ["sockets", socketScenarios],
  ["tunnels", tunnelScenarios],
  ["frameworks", frameworkScenarios],
] as const;

/** What nghttpx does not pass on: upgrades to anything but WebSocket, how a connection or response ended, how long it was idle. */
const notByGateway =
  /^(the app destroys|socket\.pipe|half-closes|ws: either side's close|server\.setTimeout|server\.keepAliveTimeout)/;

const inTheClear = async (port: number): Promise<Way> => ({ port, close: async () => {} });
const edges = [
  { edge: "in the clear", secure: false, way: inTheClear, passes: () => true },
  { edge: "over TLS", secure: true, way: overTls, passes: () => true },
  { edge: "over HTTP/2", secure: true, way: overHttp2, passes: (name: string) => !notByGateway.test(name) },
] as const;
const kinds = suites.flatMap(([name, scenarios]) => edges.map((edge) => ({ name, scenarios, ...edge })));

/** The scenarios of `link-parity.test.ts`, which have to see the same behind the whole front, over each edge. */
describe.each(kinds)("behind the front, as on a connection of its own: $name, $edge", (kind) => {
  const { scenarios, secure, way, passes } = kind;
  const applicable = scenarios.filter(({ scope, name }) => scope !== "connection" && passes(name));
  it.each(applicable)("$name", async (scenario: ConnectionScenario) => {
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
    const { port: clientsPort, close } = await way(secure ? httpsPort! : port);
    try {
      expect(await scenario.run({ port: clientsPort, server })).toEqual(secure ? expectedOverTls : expected);
    } finally {
      await close();
      await front.close(0);
      balancer.close();
      await stop();
    }
    expect(failures).toEqual([]);
  });
});
