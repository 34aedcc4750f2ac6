// What apps do with connections, on connections with TLS whose handshake an instance makes: as on those of its own.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { CertificateStore } from "../src/front/tls/certificate-store.ts";
import { handshakeOrder, tlsOrder } from "../src/ipc/handoff-messages.ts";
import { systemClock } from "../src/model/clock.ts";
import { httpsSchema } from "../src/options/https-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import { handshakeSettings } from "../src/tls/handshakes.ts";
import { HandoffIntake } from "../src/worker/handoff/handoff-intake.ts";
import type { ConnectionScenario } from "./support/connection-scenario.ts";
import { frameworkScenarios } from "./support/framework-scenarios.ts";
import { httpScenarios } from "./support/http-scenarios.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { overTls } from "./support/tls-relay.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

const nothing = Buffer.alloc(0);

describe.each([
  ["HTTP", httpScenarios],
  ["sockets", socketScenarios],
  ["tunnels", tunnelScenarios],
  ["frameworks", frameworkScenarios],
])("handed off, over TLS, as on a connection of its own: %s", (_, scenarios) => {
  it.each(scenarios)("$name", async (scenario: ConnectionScenario) => {
    const server = await scenario.app();
    server.listen(0, "127.0.0.1");
    const https = parseOptions(httpsSchema, { certificates: [testCertificate(["DNS:a.example"])] }, "https");
    const intake = new HandoffIntake({ server, channel: { send: () => true }, clock: systemClock });
    const { material } = new CertificateStore(https);
    intake.receive(tlsOrder({ material, limits: handshakeSettings(https, ["http/1.1"]) }), undefined);
    const front = createServer({ pauseOnConnect: true }, (socket) => {
      intake.receive(handshakeOrder(nothing, undefined), socket);
    }).listen(0, "127.0.0.1");
    await Promise.all([once(front, "listening"), once(server, "listening")]);
    onTestFinished(() => {
      front.close();
      server.closeAllConnections();
      server.close();
      intake.stop();
    });
    const { expected, expectedOverTls = expected } = scenario;
    const { port, close } = await overTls((front.address() as AddressInfo).port);
    onTestFinished(close);
    expect(await scenario.run({ port, server })).toEqual(expectedOverTls);
    // What clients keep alive is nobody's any more.
    server.closeAllConnections();
    await expect.poll(() => intake.connections + intake.arriving).toBe(0);
  });
});
