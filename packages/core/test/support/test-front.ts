import { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Backend } from "../../src/front/proxy/pool.ts";
import { ProxyFront, type ProxyFrontOptions } from "../../src/front/proxy/proxy-front.ts";
import { RequestLimit } from "../../src/front/request-limit.ts";
import type { Responder } from "../../src/front/responder.ts";
import type { FrontSettings } from "../../src/front/settings.ts";
import { CertificateStore } from "../../src/front/tls/certificate-store.ts";
import type { ChallengeBook } from "../../src/front/tls/challenge-book.ts";
import type { FinishedRequest } from "../../src/front/traffic-observer.ts";
import { Http1Transport } from "../../src/front/transport/http1-transport.ts";
import { createLinkTransport } from "../../src/front/transport/link-transport.ts";
import type { Transport } from "../../src/front/transport/upstream.ts";
import { type Clock, systemClock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import type { HandshakeFailure } from "../../src/model/handshake-failure.ts";
import type { Http1Pool, Http1Reach } from "../../src/model/http1-reach.ts";
import { addressText } from "../../src/model/listener-address.ts";
import type { RetrySettings } from "../../src/model/retry-policy.ts";
import { httpsSchema } from "../../src/options/https-options.ts";
import type { LimitSettings } from "../../src/options/limit-options.ts";
import type { RateLimitSettings } from "../../src/options/rate-limit-options.ts";
import type { TimeoutSettings } from "../../src/options/timeout-options.ts";
import { parseOptions } from "../../src/options/validation.ts";
import { serveLink } from "../../src/worker/link/link-intake.ts";
import { defaultFrontSettings } from "./default-settings.ts";
import { edge, edgeCertificate, wayOver } from "./edge.ts";
import { createTestBalancer } from "./test-balancer.ts";
import { portsOf, testListeners } from "./test-listeners.ts";
import { speaking } from "./unix-server.ts";

export interface TestFrontOptions {
  readonly certificates?: CertificateStore;
  readonly challenges?: ChallengeBook;
  readonly responders?: readonly Responder[];
  readonly rateLimit?: RateLimitSettings;
  readonly handshakeFailed?: (reason: HandshakeFailure) => void;
  readonly requestFinished?: (finished: FinishedRequest) => void;
  /** Ports on 127.0.0.1 and other places, reached by HTTP/1.1, or servers that listen, reached over the link. */
  readonly backends: readonly (number | Http1Reach | Server)[];
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly retry?: Partial<RetrySettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly pool?: Partial<Http1Pool>;
  readonly settings?: Partial<FrontSettings>;
  readonly balancer?: Parameters<typeof createTestBalancer>[0];
  readonly router?: ProxyFrontOptions["router"];
  /** Of the front alone; default: the system's. */
  readonly clock?: Clock;
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
  const reaches = new Map<Endpoint, Http1Reach>();
  const endpoints = await Promise.all(
    options.backends.map(async (backend, slot): Promise<Endpoint> => {
      const reach = reachOf(backend);
      const address = reach?.address ?? ({ kind: "unix", path: await openIntake(backend as Server) } as const);
      const endpoint = { id: addressText(address), slot, incarnation: 1, weight: 1, address };
      if (reach !== undefined) reaches.set(endpoint, { ...reach, pool: { ...reach.pool, ...options.pool } });
      return endpoint;
    }),
  );
  // Tests of the edge itself bring certificates; those that listen elsewhere are about that.
  const overEdge = edge !== "plain" && options.certificates === undefined && options.settings?.listeners === undefined;
  const https = overEdge
    ? parseOptions(httpsSchema, { port: 0, certificates: [edgeCertificate()] }, "https")
    : undefined;
  const certificates = https === undefined ? options.certificates : new CertificateStore(https);
  const acceptErrors: Error[] = [];
  const front = new ProxyFront({
    clock: options.clock ?? systemClock,
    balancer,
    settings: {
      ...defaultFrontSettings,
      listeners: testListeners({ https: certificates !== undefined }),
      ...(https !== undefined && { https }),
      ...options.settings,
      timeouts: { ...defaultFrontSettings.timeouts, ...options.timeouts },
      retry: { ...defaultFrontSettings.retry, ...options.retry },
      limits: { ...defaultFrontSettings.limits, maxConnections: 10_000, ...options.limits },
    },
    router: options.router,
    certificates,
    challenges: options.challenges,
    ...(options.responders !== undefined && { responders: options.responders }),
    limit:
      options.rateLimit &&
      new RequestLimit({ settings: options.rateLimit, clock: systemClock, limited: () => {}, keyFailed: () => {} }),
    backend: (endpoint): Backend => {
      const { address } = endpoint;
      const reach = reaches.get(endpoint) ?? (address.kind === "tcp" ? { address } : undefined);
      return { transport: reach === undefined ? linkTo(endpoint) : http1To(endpoint, reach), responseLines: "" };
    },
    observer: {
      acceptFailed: (error) => acceptErrors.push(error),
      handshakeFailed: options.handshakeFailed ?? (() => {}),
      ...(options.requestFinished !== undefined && { requestFinished: options.requestFinished }),
    },
  });
  const update = (list: readonly Endpoint[]) => {
    front.update(list);
    balancer.update(list);
  };
  update(endpoints);
  const [plainPort, httpsPort] = await portsOf(front.listen());
  const way = overEdge ? await wayOver(true, httpsPort!) : undefined;
  onTestFinished(async () => {
    await way?.close();
    await front.close(0);
    balancer.close();
  });
  const inFlight = (endpoint: Endpoint) =>
    balancer.status().endpoints.find((status) => status.endpoint === endpoint)?.inFlight;
  return {
    front,
    port: way?.port ?? plainPort,
    httpsPort: httpsPort!,
    balancer,
    endpoints,
    update,
    acceptErrors,
    inFlight,
  };
}

function reachOf(backend: number | Http1Reach | Server): Http1Reach | undefined {
  if (typeof backend === "number") return { address: { kind: "tcp", host: "127.0.0.1", port: backend } };
  return backend instanceof Server ? undefined : backend;
}

function linkTo(endpoint: Endpoint): Transport {
  const { address } = endpoint;
  if (address.kind !== "unix") throw new Error("a link goes over a Unix socket");
  return createLinkTransport({ endpoint, path: address.path, clock: systemClock, onDown: () => {} });
}

function http1To(endpoint: Endpoint, reach: Http1Reach): Transport {
  return new Http1Transport({ endpoint, reach, clock: systemClock });
}
