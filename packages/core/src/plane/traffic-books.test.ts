import { expect, test } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { requestsIn } from "../facts/request-counts.ts";
import { maxRoutes, otherRoutes } from "../facts/traffic-counts.ts";
import type { FinishedRequest, ObservedClient } from "../front/traffic-observer.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { TrafficBooks } from "./traffic-books.ts";

const client: ObservedClient = { remoteAddress: "192.0.2.1", encrypted: false, listener: 1 };
const [first] = endpointsInSlots(1) as [Endpoint];
const instance = { ...first, id: "1.1" };

function request(route: string, of: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    client,
    request: { route } as FinishedRequest["request"],
    status: 200,
    answeredBy: "app",
    reason: undefined,
    end: "complete",
    endpoint: instance,
    attempts: 1,
    tries: undefined,
    requestBytes: 10,
    responseBytes: 100,
    startedAt: 0,
    queuedMs: 0,
    leasedMs: 0,
    respondedMs: 2,
    endedMs: 3,
    ...of,
  };
}

test("a request is counted once by each of its listener, its route and its endpoint", () => {
  const books = new TrafficBooks(2);
  books.requestFinished(request("/api"));
  books.requestFinished(request("/api", { endpoint: undefined, status: 503, answeredBy: "front", attempts: 0 }));
  const { listeners, routes, slots } = books.counts;
  expect(listeners.map(({ requests, bytesOut }) => [requests, bytesOut])).toEqual([
    [0, 0],
    [2, 200],
  ]);
  expect([requestsIn(routes["/api"]!), requestsIn(slots[0]!.requests)]).toEqual([2, 1]);
  expect(requestsIn(books.totals.requests)).toBe(2);
});

test("a slot's counts go on when its worker is replaced", () => {
  const books = new TrafficBooks(2);
  books.requestFinished(request(""));
  books.requestFinished(request("", { endpoint: { ...instance, id: "1.2", incarnation: 2 } }));
  books.retried({ ...instance, id: "1.3" }, "reset");
  expect(requestsIn(books.counts.slots[0]!.requests)).toBe(2);
  expect(books.counts.slots[0]!.retries).toEqual({ reset: 1 });
});

test("an endpoint of a backend is none of the slots, nor is a directory", () => {
  const books = new TrafficBooks(2);
  const remote = { ...instance, id: backendEndpointId("api", "http://10.0.0.1:80") };
  books.requestFinished(request("/api", { endpoint: remote }));
  books.requestFinished(request("/static", { endpoint: { ...instance, id: "files:/srv/a b 1.1" } }));
  const { slots, backends } = books.counts;
  expect(slots).toEqual({});
  expect(Object.keys(backends)).toEqual(["api"]);
  expect(requestsIn(backends["api"]!["http://10.0.0.1:80"]!.requests)).toBe(1);
});

test("tunnels are open until they end, and what they moved is counted then", () => {
  const books = new TrafficBooks(2);
  const asked = request("/ws", { status: 101, end: "tunnel" });
  books.requestFinished(asked);
  expect(books.counts.slots[0]!.tunnels).toBe(1);
  books.tunnelEnded({ client, request: asked.request, endpoint: instance, openMs: 5, bytesIn: 1, bytesOut: 2 });
  const { slots, routes, listeners } = books.counts;
  expect(slots[0]).toMatchObject({ tunnels: 0, requests: { bytesIn: 11, bytesOut: 102 } });
  expect([routes["/ws"]!.bytesIn, listeners[1]!.bytesIn]).toEqual([11, 11]);
});

test("what is open at workers is theirs to tell, until they are gone", () => {
  const books = new TrafficBooks(2);
  const successor = { ...instance, id: "1.2" };
  books.connectionOpened(client, false);
  books.connectionOpened(client, true);
  books.connectionClosed(client);
  books.openReported(instance, { connections: 3, tunnels: 1 });
  books.openReported(successor, { connections: 2, tunnels: 0 });
  expect(books.counts.slots[0]).toMatchObject({ connections: 5, tunnels: 1 });
  expect(books.totals.connections).toBe(6);
  expect(books.counts.listeners[1]).toMatchObject({ accepted: 1, open: 1 });
  books.openReported(instance, { connections: 0, tunnels: 0 });
  expect(books.counts.slots[0]).toMatchObject({ connections: 2, tunnels: 0 });
});

test("BAD-INPUTS 186: of ten thousand routes as many are told apart as there may be series", () => {
  const books = new TrafficBooks(2);
  for (let n = 0; n < 10_000; n++) books.requestFinished(request(`/${n}`));
  const { routes } = books.counts;
  expect(Object.keys(routes)).toHaveLength(maxRoutes + 1);
  expect(requestsIn(routes[otherRoutes]!)).toBe(9_000);
  expect(requestsIn(books.totals.requests)).toBe(10_000);
});
