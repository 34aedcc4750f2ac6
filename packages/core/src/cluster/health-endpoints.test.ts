import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { ClusterStatus, InstanceState } from "../control/status.ts";
import { parseClusterOptions } from "../options/cluster-settings.ts";
import { HealthEndpoints } from "./health-endpoints.ts";

function endpoints(
  states: readonly InstanceState[],
  option: unknown = true,
  phase: ClusterStatus["phase"] = "running",
  backends: readonly object[] = [],
) {
  const surroundings = { env: {}, parallelism: 2, random: seededRandom(1) };
  const { healthEndpoints } = parseClusterOptions({ healthEndpoints: option }, surroundings);
  if (healthEndpoints === false) throw new Error("they are off");
  const instances = states.map((state) => ({ state }));
  const status = { name: "app", phase, instances, backends } as unknown as ClusterStatus;
  const health = new HealthEndpoints({ settings: healthEndpoints, status: () => status });
  return (path: string, clientAddress = "127.0.0.1", indirect = false, token?: string) => {
    const answer = health.answer({ path, clientAddress, indirect, token });
    return answer && [answer.status, JSON.parse(answer.body)];
  };
}

describe("health endpoints", () => {
  it("say whether anybody takes traffic", () => {
    const cases: readonly [readonly InstanceState[], number, object][] = [
      [["ready", "ready"], 200, { status: "ok", ready: 2, instances: 2 }],
      [["ready", "starting", "drained"], 200, { status: "degraded", ready: 1, instances: 3 }],
      [["unhealthy", "stopped"], 503, { status: "unavailable", ready: 0, instances: 2 }],
      // A front without an app serves by being there.
      [[], 200, { status: "ok", ready: 0, instances: 0 }],
    ];
    for (const [states, status, body] of cases) {
      const ask = endpoints(states);
      expect(ask("/health")).toEqual([status, body]);
      expect(ask("/health/ready")).toEqual([status, body]);
      expect(ask("/health/live")).toEqual([200, { status: "ok" }]);
    }
  });

  it("without an app go by all that are run here and serve", () => {
    const one = (kind: string, ...states: InstanceState[]) => ({ kind, instances: states.map((state) => ({ state })) });
    const others = [one("worker", "crash-loop"), one("endpoints")];
    const ask = (...backends: object[]) => endpoints([], true, "running", [...backends, ...others])("/health");
    expect(ask(one("app", "ready"), one("program", "ready"))).toMatchObject([200, { status: "ok", instances: 2 }]);
    expect(ask(one("app", "ready"), one("app", "crash-loop"))).toMatchObject([200, { status: "degraded" }]);
    expect(ask(one("app", "crash-loop"))).toMatchObject([503, { status: "unavailable" }]);
  });

  it("are not ready from the beginning of the end, and live until it", () => {
    const ask = endpoints(["ready"], true, "closing");
    expect(ask("/health/ready")).toEqual([503, { status: "draining", ready: 1, instances: 1 }]);
    expect(ask("/health/live")).toEqual([200, { status: "ok" }]);
  });

  it("show details to nobody, unless told otherwise, and never to whoever came through a proxy unknown", () => {
    expect(endpoints(["ready"])("/health/detailed")).toEqual([403, { status: "forbidden" }]);
    const ask = endpoints(["ready"], { details: ["loopback"] });
    expect(ask("/health/detailed")).toMatchObject([200, { status: "ok", cluster: { name: "app" } }]);
    expect(ask("/health/detailed", "::1")).toMatchObject([200, {}]);
    expect(ask("/health/detailed", "10.0.0.7")).toEqual([403, { status: "forbidden" }]);
    expect(ask("/health/detailed", "127.0.0.1", true)).toEqual([403, { status: "forbidden" }]);
    const wider = endpoints(["ready"], { details: ["10.0.0.0/8"] });
    expect(wider("/health/detailed", "10.0.0.7")).toMatchObject([200, {}]);
    expect(wider("/health/detailed")).toMatchObject([403, {}]);
  });

  it("show details to whoever shows the token, from anywhere", () => {
    const ask = endpoints(["ready"], { token: "0123456789abcdef" });
    expect(ask("/health/detailed", "10.0.0.7", true, "0123456789abcdef")).toMatchObject([200, { status: "ok" }]);
    for (const token of [undefined, "", "0123456789abcdee"]) {
      expect(ask("/health/detailed", "127.0.0.1", false, token)).toMatchObject([403, {}]);
    }
    expect(() => endpoints([], { token: "short" })).toThrow(/at least 16 characters/);
  });

  it("are where the option says, and leave all else to the app", () => {
    const ask = endpoints(["ready"], { path: "/_lb" });
    expect(ask("/_lb/live")).toMatchObject([200, {}]);
    for (const path of ["/health", "/_lb/", "/_lbx", "/_lb/other", "/_lb/live/more", "/"])
      expect(ask(path)).toBeUndefined();
  });
});
