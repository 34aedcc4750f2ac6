// The scenarios of link-parity.test.ts again, in front of the edge: over TLS, byte for byte, and translated to HTTP/2 by nghttpx.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { ProxyFront } from "../src/front/proxy/proxy-front.ts";
import { CertificateStore } from "../src/front/tls/certificate-store.ts";
import { createLinkTransport } from "../src/front/transport/link-transport.ts";
import { systemClock } from "../src/model/clock.ts";
import { httpsSchema } from "../src/options/https-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import type { ConnectionScenario } from "./support/connection-scenario.ts";
import { defaultFrontSettings } from "./support/default-settings.ts";
import { eventually } from "./support/eventually.ts";
import { frameworkScenarios } from "./support/framework-scenarios.ts";
import { takePort } from "./support/free-ports.ts";
import { httpScenarios } from "./support/http-scenarios.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { socketScenarios } from "./support/socket-scenarios.ts";
import { createTestBalancer } from "./support/test-balancer.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { portsOf, testListeners } from "./support/test-listeners.ts";
import { tunnelScenarios } from "./support/tunnel-scenarios.ts";

/** A port without TLS from which connections get to the one with TLS. */
type Way = (httpsPort: number) => Promise<{ readonly port: number; close(): Promise<void> }>;

const overTls: Way = async (httpsPort) => {
  const server = createServer({ allowHalfOpen: true }, (plain) => {
    const secure = connectTls({
      ...{ port: httpsPort, host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false },
      ...{ ALPNProtocols: ["http/1.1"], allowHalfOpen: true },
    });
    pipeline(plain, secure, () => {});
    pipeline(secure, plain, () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return { port: address.port, close: async () => void server.close() };
};

const overHttp2: Way = async (httpsPort) => {
  const { port, server } = await takePort();
  server.close();
  const gateway = spawn(
    "nghttpx",
    [
      ...[`--frontend=127.0.0.1,${port};no-tls`, `--backend=127.0.0.1,${httpsPort};;proto=h2;tls;sni=a.example`],
      ...["--insecure", "--workers=1", "--no-via", "--no-location-rewrite", "--no-server-rewrite", "--no-ocsp"],
      ...["--no-add-x-forwarded-proto", "--conf=/dev/null", "--errorlog-file=/dev/null", "--log-level=ERROR"],
    ],
    { stdio: "ignore" },
  );
  await eventually(() => accepts(port), { what: "nghttpx listens" });
  return { port, close: () => ended(gateway) };
};

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function observe({ app, run }: ConnectionScenario, open: Way): Promise<unknown> {
  const server = await app();
  const { endpoint, path, stop } = await openLinkEndpoint(server);
  const balancer = createTestBalancer();
  const certificates = [testCertificate(["DNS:a.example", "IP:127.0.0.1"])];
  const https = parseOptions(httpsSchema, { port: 0, certificates }, "https");
  const front = new ProxyFront({
    clock: systemClock,
    balancer,
    settings: { ...defaultFrontSettings, listeners: testListeners({ https: true }), https },
    certificates: new CertificateStore(https),
    backend: () => ({
      transport: createLinkTransport({ endpoint, path, clock: systemClock, onDown: () => {} }),
      responseLines: "",
    }),
  });
  front.update([endpoint]);
  balancer.update([endpoint]);
  const [, httpsPort] = await portsOf(front.listen());
  const way = await open(httpsPort!);
  try {
    return await run({ port: way.port, server });
  } finally {
    await way.close();
    await front.close(0);
    balancer.close();
    await stop();
  }
}

/** What is to be seen where the client came encrypted. */
function encrypted(expected: unknown): unknown {
  return withParts(expected, {
    protocol: () => "https",
    secure: () => true,
    encrypted: () => true,
  });
}

/** The port that the app sees is the gateway's. */
function behindGateway(seen: unknown): unknown {
  return withParts(seen, {
    remote: (value) => (Array.isArray(value) ? value.with(1, "the client's port") : value),
  });
}

function withParts(value: unknown, parts: Readonly<Record<string, (part: unknown) => unknown>>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, parts[name]?.(part) ?? withParts(part, parts)]),
  );
}

const suites = [...httpScenarios, ...socketScenarios, ...tunnelScenarios, ...frameworkScenarios].filter(
  ({ scope }) => scope !== "connection",
);

/** What nghttpx does not pass on: upgrades to anything but WebSocket, how a connection or response ended, how long it was idle. */
const notByGateway =
  /^(the app destroys|socket\.pipe|half-closes|ws: either side's close|server\.setTimeout|server\.keepAliveTimeout)/;

describe.each([
  ["TLS", overTls, suites],
  ["HTTP/2", overHttp2, suites.filter(({ name }) => !notByGateway.test(name))],
] as const)("over %s", (_, way, scenarios) => {
  it.each(scenarios)("$name", async (scenario) => {
    expect(behindGateway(await observe(scenario, way))).toEqual(encrypted(scenario.expected));
  });
});
