// Other rules for a balancer that gives leases.
import { expect, test } from "vitest";
import { balancerDefaults, healthDefaults } from "../../test/support/default-settings.ts";
import { balance, firstOf, refused, success } from "../../test/support/manual-balancer.ts";
import { leastConnections, peakEwma, roundRobin } from "../strategies/index.ts";
import type { BalancerRules } from "./balancer.ts";

const rules = (others: Partial<BalancerRules> = {}): BalancerRules => ({
  strategy: firstOf().strategy,
  health: healthDefaults,
  queue: balancerDefaults.queue,
  retryBudget: balancerDefaults.retryBudget,
  ...others,
});

test("another strategy chooses with the next lease, and knows those that are open", () => {
  const { balancer, acquire, statusOf } = balance(3, { strategy: firstOf().strategy });
  expect([acquire(), acquire()].map(({ endpoint }) => endpoint.id)).toEqual(["0", "0"]);
  balancer.use(rules({ strategy: leastConnections() }));
  expect([acquire(), acquire()].map(({ endpoint }) => endpoint.id)).toEqual(["1", "2"]);
  expect(statusOf(0).inFlight).toBe(2);
  balancer.use(rules({ strategy: roundRobin() }));
  expect(new Set([acquire(), acquire(), acquire()].map(({ endpoint }) => endpoint.id)).size).toBe(3);
});

test("one that goes by latencies has them measured from then on", () => {
  const { balancer, acquire, clock } = balance(2);
  balancer.use(rules({ strategy: peakEwma() }));
  const [slow, quick] = [acquire(), acquire()];
  expect(slow.endpoint).not.toBe(quick.endpoint);
  clock.advance(10);
  quick.release(success);
  clock.advance(5_000);
  slow.release(success);
  expect(acquire().endpoint).toBe(quick.endpoint);
});

test("a request that waits for a strategy that is none any more gets an endpoint all the same", () => {
  const { balancer, all } = balance(1, { others: [roundRobin()] });
  balancer.update([]);
  const given: string[] = [];
  balancer.acquireOrWait({}, { by: 1, onLease: ({ endpoint }) => given.push(endpoint.id), onRefused: () => {} });
  balancer.use(rules());
  balancer.update(all);
  expect(given).toEqual(["0"]);
});

test("health goes on as it is, by other rules", () => {
  const { balancer, acquire, statusOf } = balance(4);
  acquire().release(refused);
  expect(statusOf(0).health.kind).toBe("ejected");
  balancer.use(rules({ health: { ...healthDefaults, passive: false, outlier: false } }));
  expect(statusOf(0).health.kind).toBe("ejected");
  const other = acquire();
  other.release(refused);
  expect(statusOf(Number(other.endpoint.id)).health.kind).toBe("healthy");
});

test("endpoints that only probes would bring back are back when there are none", () => {
  const active = {
    path: "/",
    intervalMs: 1,
    jitter: 0,
    timeoutMs: 1,
    healthyAfter: 1,
    unhealthyAfter: 1,
    requireFirstProbe: true,
  };
  const health = { ...healthDefaults, active: active as never };
  const { balancer, statusOf } = balance(2, { health });
  expect(statusOf(0).health.kind).toBe("unprobed");
  balancer.use(rules());
  expect([statusOf(0).health.kind, statusOf(1).health.kind]).toEqual(["healthy", "healthy"]);
});
