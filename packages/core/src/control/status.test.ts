import { describe, expect, it } from "vitest";
import type { BalancerStatus, EndpointStatus } from "../balancer/status.ts";
import { allInstances, readiness } from "./instance-names.ts";
import { publicUrl } from "./public-url.ts";
import { SlotCounters } from "./slot-counters.ts";
import { clusterStatus } from "./status.ts";

const endpoint = (slot: number, incarnation: number, known: Partial<EndpointStatus> = {}): EndpointStatus => ({
  endpoint: {
    id: `${slot + 1}.${incarnation}`,
    slot,
    incarnation,
    weight: 1,
    address: { kind: "unix", path: `/run/${slot}` },
  },
  phase: "serving",
  health: { kind: "healthy", since: 0 },
  inFlight: 0,
  requests: 0,
  failures: 0,
  errors: {},
  unanswered: 0,
  latencyMs: 0,
  latencySumMs: 0,
  latencySquareSumMs: 0,
  latencyCount: 0,
  ...known,
});

const balancer = (...endpoints: EndpointStatus[]): BalancerStatus => ({
  roster: { version: 1, endpoints: endpoints.map((known) => known.endpoint), lingering: [] },
  waiting: 0,
  retriesLeft: 0,
  panicking: false,
  endpoints,
});

const instance = (id: number, state: "ready" | "held" | "draining" | "done" = "ready") => ({
  id,
  port: 3000 + id,
  pid: 100 + id,
  state,
  restarts: 0,
  uptimeMs: 5,
  vitals: undefined,
  silent: false,
  lastExit: undefined,
  retryInMs: undefined,
});

const sources = {
  counts: { listeners: [], routes: {}, slots: {}, backends: {} },
  routes: [],
  lastMinute: undefined,
  vitals: undefined,
  hub: { messages: 0, bytesIn: 0, bytesOut: 0, channels: 0 },
  limits: [],
  accessLog: null,
  tracing: null,
  tallies: {
    exits: {},
    backendExits: {},
    ejections: {},
    backendEjections: {},
    reloads: { finished: 0, "rolled-back": 0 },
    autoscalings: 0,
    alerts: {},
  },
  name: "app",
  mode: "proxy" as const,
  host: "127.0.0.1",
  port: 3000,
  url: "http://127.0.0.1:3000",
  https: null,
  admin: null,
  listeners: [{ url: "http://127.0.0.1:3000", https: false, proxyProtocol: false }],
  strategy: "least-connections",
  pid: 99,
  phase: "running" as const,
  reload: () => null,
  uptimeMs: 12.6,
  answered: { 400: 1 },
  instances: [instance(1), instance(2)],
  balancer: balancer(endpoint(0, 1), endpoint(1, 1)),
  backends: {},
  groups: {},
  departed: new SlotCounters(),
  relayed: () => 0,
  droppedMessages: () => 0,
};

const none = { requests: 0, failures: 0, clientErrors: 0, meanMs: null };
const reloading = { done: 0, total: 1, replacing: [], before: none, after: none };

describe("the program of a backend", () => {
  const program = { ...endpoint(0, 2, { requests: 3, inFlight: 1 }) };
  const status = (state: "ready" | "held" | "done") => {
    const departed = new SlotCounters();
    departed.add(0, { requests: 40, failures: 2 });
    return clusterStatus({
      ...sources,
      backends: { py: balancer(program), elsewhere: balancer() },
      groups: { py: { kind: "program", instances: [instance(1, state)], departed } },
      reload: (backend) => (backend === "py" ? reloading : null),
    });
  };

  it("has instances as the app has, with counts that never go back", () => {
    const [py, elsewhere] = status("ready").backends;
    expect(py!.instances).toMatchObject([
      { id: 1, state: "ready", inFlight: 1, requests: 43, failures: 2, relayed: 0 },
    ]);
    expect([py!.reload, py!.endpoints.length]).toEqual([reloading, 1]);
    expect(elsewhere).toMatchObject({ instances: [], reload: null });
  });

  it("is drained once nothing is in flight, and is called by both names", () => {
    expect(allInstances(status("held")).map(({ name, status: { state } }) => [name, state])).toEqual([
      ["1", "ready"],
      ["2", "ready"],
      ["py:1", "draining"],
    ]);
    expect(readiness(status("ready"))).toBe("3 of 3");
    expect(readiness(status("done"))).toBe("2 of 2");
  });
});

describe("status", () => {
  it("is plain JSON with everything about the cluster and its instances", () => {
    const status = clusterStatus({
      ...sources,
      balancer: balancer(endpoint(0, 1, { inFlight: 2, requests: 7, failures: 1 }), endpoint(1, 1)),
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual({
      name: "app",
      mode: "proxy",
      host: "127.0.0.1",
      port: 3000,
      https: null,
      url: "http://127.0.0.1:3000",
      listeners: [{ url: "http://127.0.0.1:3000", https: false, proxyProtocol: false }],
      admin: null,
      strategy: "least-connections",
      pid: 99,
      phase: "running",
      reload: null,
      uptimeMs: 13,
      answered: { 400: 1 },
      limits: [],
      accessLog: null,
      tracing: null,
      waiting: 0,
      vitals: null,
      tallies: sources.tallies,
      hub: sources.hub,
      traffic: expect.objectContaining({ lastMinute: null, inFlight: 2, routes: {}, backends: {}, listeners: [] }),
      backends: [],
      instances: [
        {
          id: 1,
          port: 3001,
          pid: 101,
          state: "ready",
          restarts: 0,
          inFlight: 2,
          requests: 7,
          failures: 1,
          relayed: 0,
          droppedMessages: 0,
          vitals: null,
          uptimeMs: 5,
          lastExit: null,
          retryInMs: null,
        },
        {
          id: 2,
          port: 3002,
          pid: 102,
          state: "ready",
          restarts: 0,
          inFlight: 0,
          requests: 0,
          failures: 0,
          relayed: 0,
          droppedMessages: 0,
          vitals: null,
          uptimeMs: 5,
          lastExit: null,
          retryInMs: null,
        },
      ],
    });
  });

  it("calls an instance unhealthy that is ready but gets no traffic, and no other", () => {
    const down = { health: { kind: "probe-down", since: 0 } } as const;
    const status = clusterStatus({
      ...sources,
      instances: [instance(1), instance(2, "draining")],
      balancer: balancer(endpoint(0, 1, down), endpoint(1, 1, { ...down, phase: "draining" })),
    });
    expect(status.instances.map(({ state }) => state)).toEqual(["unhealthy", "draining"]);
  });

  it("tells an instance that an operator drains from one that is drained", () => {
    const status = clusterStatus({
      ...sources,
      instances: [instance(1, "held"), instance(2, "held")],
      balancer: balancer(endpoint(0, 1, { phase: "draining", inFlight: 1 })),
    });
    expect(status.instances.map(({ state }) => state)).toEqual(["draining", "drained"]);
  });

  it("does not blame a new worker for what its predecessor, still finishing, was ejected for", () => {
    const old = endpoint(0, 1, { phase: "draining", health: { kind: "probe-down", since: 0 }, inFlight: 1 });
    const status = clusterStatus({ ...sources, balancer: balancer(endpoint(0, 2), endpoint(1, 1), old) });
    expect(status.instances[0]).toMatchObject({ state: "ready", inFlight: 1 });
  });

  it("keeps a slot's counts when its worker is replaced", () => {
    const departed = new SlotCounters();
    departed.add(0, { requests: 10, failures: 2 });
    departed.add(0, { requests: 5, failures: 0 });
    const present = balancer(endpoint(0, 3, { requests: 1, failures: 1 }));
    const status = clusterStatus({ ...sources, balancer: present, departed });
    expect(status.instances[0]).toMatchObject({ requests: 16, failures: 3 });
    expect(status.instances[1]).toMatchObject({ requests: 0, failures: 0 });
  });
});

describe("public URL", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:3000"],
    ["0.0.0.0", "http://127.0.0.1:3000"],
    ["::", "http://[::1]:3000"],
    ["::1", "http://[::1]:3000"],
    ["app.example", "http://app.example:3000"],
  ])("for host %s is %s", (host, url) => {
    expect(publicUrl({ kind: "tcp", host, port: 3000 }, false)).toBe(url);
  });
});
