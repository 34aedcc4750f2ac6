import { onTestFinished } from "vitest";
import type { Backend } from "../../src/front/proxy/context.ts";
import { ProxyFront } from "../../src/front/proxy/proxy-front.ts";
import {
  defaultFrontSettings,
  type FrontSettings,
  type RetrySettings,
  type TimeoutSettings,
} from "../../src/front/settings.ts";
import { type Http1PoolOptions, Http1Transport } from "../../src/front/transport/http1-transport.ts";
import type { HttpLimits } from "../../src/http/limits.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import { createTestBalancer } from "./test-balancer.ts";

export interface TestFrontOptions {
  /** Ports on 127.0.0.1. */
  readonly backends: readonly number[];
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly retry?: Partial<RetrySettings>;
  readonly http?: Partial<HttpLimits>;
  readonly pool?: Partial<Http1PoolOptions>;
  readonly settings?: Partial<FrontSettings>;
  readonly balancer?: Parameters<typeof createTestBalancer>[0];
}

/** A front over HTTP/1.1 to the given ports, closed when the test ends. Tries its endpoints in turn. */
export async function startFront(options: TestFrontOptions) {
  const balancer = createTestBalancer(options.balancer);
  const endpoints = options.backends.map(
    (port, slot): Endpoint => ({
      id: `127.0.0.1:${port}`,
      slot,
      incarnation: 1,
      weight: 1,
      address: { kind: "tcp", host: "127.0.0.1", port },
    }),
  );
  const acceptErrors: Error[] = [];
  const front = new ProxyFront({
    clock: systemClock,
    balancer,
    settings: {
      ...defaultFrontSettings,
      host: "127.0.0.1",
      port: 0,
      maxConnections: 10_000,
      ...options.settings,
      timeouts: { ...defaultFrontSettings.timeouts, ...options.timeouts },
      retry: { ...defaultFrontSettings.retry, ...options.retry },
      http: { ...defaultFrontSettings.http, ...options.http },
    },
    backend: (endpoint): Backend => ({
      transport: new Http1Transport(endpoint, systemClock, options.pool),
      responseLines: "",
    }),
    observer: { acceptFailed: (error) => acceptErrors.push(error) },
  });
  const update = (list: readonly Endpoint[]) => {
    front.update(list);
    balancer.update(list);
  };
  update(endpoints);
  const port = await front.listen();
  onTestFinished(async () => {
    await front.close(0);
    balancer.close();
  });
  const inFlight = (endpoint: Endpoint) =>
    balancer.status().endpoints.find((status) => status.endpoint === endpoint)?.inFlight;
  return { front, port, balancer, endpoints, update, acceptErrors, inFlight };
}
