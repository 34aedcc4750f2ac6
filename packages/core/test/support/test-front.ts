import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Backend } from "../../src/front/proxy/context.ts";
import { ProxyFront } from "../../src/front/proxy/proxy-front.ts";
import type { Responder } from "../../src/front/responder.ts";
import type { FrontSettings } from "../../src/front/settings.ts";
import type { CertificateStore } from "../../src/front/tls/certificate-store.ts";
import type { ChallengeBook } from "../../src/front/tls/challenge-book.ts";
import { type Http1PoolOptions, Http1Transport } from "../../src/front/transport/http1-transport.ts";
import { createLinkTransport } from "../../src/front/transport/link-transport.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import type { RetrySettings } from "../../src/model/retry-policy.ts";
import type { LimitSettings } from "../../src/options/limit-options.ts";
import type { TimeoutSettings } from "../../src/options/timeout-options.ts";
import type { HandshakeFailure } from "../../src/tls/handshakes.ts";
import { serveLink } from "../../src/worker/link/link-intake.ts";
import { defaultFrontSettings } from "./default-settings.ts";
import { createTestBalancer } from "./test-balancer.ts";
import { portsOf, testListeners } from "./test-listeners.ts";
import { speaking } from "./unix-server.ts";

export interface TestFrontOptions {
  readonly certificates?: CertificateStore;
  readonly challenges?: ChallengeBook;
  readonly responders?: readonly Responder[];
  readonly handshakeFailed?: (reason: HandshakeFailure) => void;
  /** Ports on 127.0.0.1, reached by HTTP/1.1, or servers that listen, reached over the link. */
  readonly backends: readonly (number | Server)[];
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly retry?: Partial<RetrySettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly pool?: Partial<Http1PoolOptions>;
  readonly settings?: Partial<FrontSettings>;
  readonly balancer?: Parameters<typeof createTestBalancer>[0];
}

/** Links to a server in this process, over a real Unix socket, until the test ends. */
function openIntake(server: Server): Promise<string> {
  const local = server.address() as AddressInfo;
  const serve = (socket: Socket) => void serveLink(socket, server, { clock: systemClock, local, onEnd: () => {} });
  return speaking(serve, { allowHalfOpen: true });
}

/** A front over the given backends, closed when the test ends. Tries its endpoints in turn. */
export async function startFront(options: TestFrontOptions) {
  const balancer = createTestBalancer(options.balancer);
  const endpoints = await Promise.all(
    options.backends.map(async (backend, slot): Promise<Endpoint> => {
      const address =
        typeof backend === "number"
          ? ({ kind: "tcp", host: "127.0.0.1", port: backend } as const)
          : ({ kind: "unix", path: await openIntake(backend) } as const);
      const id = address.kind === "tcp" ? `127.0.0.1:${address.port}` : address.path;
      return { id, slot, incarnation: 1, weight: 1, address };
    }),
  );
  const acceptErrors: Error[] = [];
  const front = new ProxyFront({
    clock: systemClock,
    balancer,
    settings: {
      ...defaultFrontSettings,
      listeners: testListeners({ https: options.certificates !== undefined }),
      ...options.settings,
      timeouts: { ...defaultFrontSettings.timeouts, ...options.timeouts },
      retry: { ...defaultFrontSettings.retry, ...options.retry },
      limits: { ...defaultFrontSettings.limits, maxConnections: 10_000, ...options.limits },
    },
    certificates: options.certificates,
    challenges: options.challenges,
    ...(options.responders !== undefined && { responders: options.responders }),
    backend: (endpoint): Backend => ({
      transport:
        endpoint.address.kind === "unix"
          ? createLinkTransport({ endpoint, path: endpoint.address.path, clock: systemClock, onDown: () => {} })
          : new Http1Transport(endpoint, systemClock, options.pool),
      responseLines: "",
    }),
    observer: {
      acceptFailed: (error) => acceptErrors.push(error),
      handshakeFailed: options.handshakeFailed ?? (() => {}),
    },
  });
  const update = (list: readonly Endpoint[]) => {
    front.update(list);
    balancer.update(list);
  };
  update(endpoints);
  const [port, httpsPort] = await portsOf(front.listen());
  onTestFinished(async () => {
    await front.close(0);
    balancer.close();
  });
  const inFlight = (endpoint: Endpoint) =>
    balancer.status().endpoints.find((status) => status.endpoint === endpoint)?.inFlight;
  return { front, port, httpsPort: httpsPort!, balancer, endpoints, update, acceptErrors, inFlight };
}
