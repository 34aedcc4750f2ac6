import { describe, expect, it } from "vitest";
import { balancerDefaults } from "../../test/support/default-settings.ts";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { balance, firstOf, refused, reset, success } from "../../test/support/manual-balancer.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { Candidate } from "../model/candidate.ts";
import { leastConnections, peakEwma, powerOfTwo } from "../strategies/index.ts";
import type { Lease } from "./lease.ts";

describe("Balancer: leases", () => {
  it("counts a lease from acquire to release, once", () => {
    const { acquire, statusOf } = balance(1);
    const lease = acquire();
    expect(statusOf(0)).toMatchObject({ inFlight: 1, requests: 1, failures: 0 });
    expect(lease.release(reset)).toBe(true);
    expect(lease.release(success)).toBe(false);
    expect(statusOf(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 1 });
  });

  it("tells the strategy of every change of load", () => {
    const { acquire } = balance(3, { strategy: leastConnections() });
    const leases = [acquire(), acquire(), acquire()];
    expect(leases.map(({ endpoint }) => endpoint.id)).toEqual(["0", "1", "2"]);
    leases[1]!.release(success);
    expect(acquire().endpoint.id).toBe("1");
  });

  it("passes on an exclude, and says when nobody is left", () => {
    const { balancer, all, acquire } = balance(2);
    expect(acquire(new Set([all[0]!])).endpoint).toBe(all[1]);
    expect(acquire(new Set()).endpoint.id).toBe("0");
    expect(acquire(new Set(endpointsInSlots(5))).kind).toBe("lease");
    expect(balancer.acquire({}, new Set(all))).toEqual({ kind: "unavailable", reason: "all-excluded" });
  });

  it("gives an endpoint no more than it may have, and those that wait what is given back", () => {
    const { balancer, all, acquire, statusOf } = balance(2, { maxInFlight: 2 });
    const leases = [acquire(), acquire(), acquire(), acquire()];
    expect([statusOf(0).inFlight, statusOf(1).inFlight]).toEqual([2, 2]);
    expect(balancer.acquire({})).toEqual({ kind: "unavailable", reason: "full" });
    expect(balancer.takes(all[0]!)).toBe(false);
    // Whom nobody else takes would wait, and who has been everywhere would not.
    expect(balancer.acquire({}, new Set([all[0]!]))).toMatchObject({ reason: "full" });
    expect(balancer.acquire({}, new Set(all))).toMatchObject({ reason: "all-excluded" });
    const served: string[] = [];
    const waiter = (name: string) => ({
      onLease: (lease: Lease) => served.push(`${name} ${lease.endpoint.id}`),
      onRefused: () => served.push(`${name} refused`),
    });
    balancer.acquireOrWait({}, waiter("first"));
    balancer.acquireOrWait({}, waiter("second"));
    leases.find(({ endpoint }) => endpoint.id === "1")!.release(success);
    expect(served).toEqual(["first 1"]);
    leases.find(({ endpoint }) => endpoint.id === "0")!.release(success);
    expect(served).toEqual(["first 1", "second 0"]);
    // One that leaves with leases open takes them along.
    balancer.update([all[1]!]);
    expect(balancer.acquire({})).toMatchObject({ reason: "full" });
  });

  it("gives a named endpoint only while that is eligible", () => {
    const { balancer, all, acquire, statusOf } = balance(4);
    expect(balancer.acquireAt(all[2]!)?.endpoint).toBe(all[2]);
    expect(statusOf(2).inFlight).toBe(1);
    acquire(new Set(all.slice(1))).release(refused);
    expect(balancer.acquireAt(all[0]!)).toBeUndefined();
    balancer.setDraining(all[1]!);
    expect(balancer.acquireAt(all[1]!)).toBeUndefined();
    expect(balancer.acquireAt(endpointsInSlots(1)[0]!)).toBeUndefined();
  });

  it("measures the response time itself where the strategy wants it and the caller has none", () => {
    const { clock, acquire, statusOf } = balance(1, { strategy: peakEwma({ random: seededRandom(1) }) });
    const lease = acquire();
    clock.advance(30);
    lease.release(success);
    expect(statusOf(0).latencyMs).toBe(30);
    acquire().release({ kind: "success", latencyMs: 70 });
    expect(statusOf(0).latencyMs).toBe(70);
    const stuck = acquire();
    clock.advance(900);
    stuck.release({ kind: "failure", reason: "timeout" });
    expect(statusOf(0).latencyMs).toBe(900);
  });

  it("refuses the pick of a strategy that invents candidates", () => {
    const stranger = { endpoint: endpointsInSlots(1)[0]!, inFlight: 0, latencyMs: () => 0 } satisfies Candidate;
    const { balancer } = balance(1, { strategy: { name: "inventive", picker: () => ({ pick: () => stranger }) } });
    expect(() => balancer.acquire({})).toThrow(expect.objectContaining({ code: "LB_STRATEGY" }));
  });
});

describe("Balancer: lease.observe", () => {
  it("ends a trial before the lease ends", () => {
    const { clock, acquire, all, statusOf } = balance(4);
    const only0 = new Set(all.slice(1));
    acquire(only0).release(refused);
    clock.advance(10_000);
    const tunnel = acquire(only0);
    expect(statusOf(0).health.kind).toBe("trial");
    tunnel.observe(success);
    expect(statusOf(0)).toMatchObject({ health: { kind: "healthy" }, inFlight: 1 });
    tunnel.release(success);
    expect(statusOf(0)).toMatchObject({ inFlight: 0, requests: 2, failures: 1 });
  });

  it("counts a failure after a success once, and nothing twice", () => {
    const { acquire, statusOf } = balance(1, { health: { maxEjectedShare: 0 } });
    const broken = acquire();
    broken.observe(success);
    broken.observe(reset);
    broken.release(reset);
    expect(statusOf(0).failures).toBe(1);
    const failed = acquire();
    failed.observe(reset);
    failed.release(reset);
    failed.observe(reset);
    expect(statusOf(0)).toMatchObject({ failures: 2, inFlight: 0 });
  });

  it("keeps the response time that was observed", () => {
    const { clock, acquire, statusOf } = balance(1, { strategy: peakEwma({ random: seededRandom(1) }) });
    const lease = acquire();
    clock.advance(5);
    lease.observe(success);
    clock.advance(60_000);
    lease.release(success);
    expect(statusOf(0).latencyMs).toBe(5);
  });
});

describe("Balancer: health", () => {
  it("asks the strategy for a picker only when the eligible endpoints changed", () => {
    const { strategy, pickers } = firstOf();
    const { clock, balancer, all, acquire } = balance(3, { strategy });
    acquire();
    acquire().release(success);
    expect(pickers).toEqual(["012"]);
    acquire().release(refused);
    expect(acquire().endpoint.id).toBe("1");
    expect(pickers).toEqual(["012", "12"]);
    clock.advance(10_000);
    acquire().release(success);
    acquire();
    balancer.update(all);
    acquire();
    expect(pickers).toEqual(["012", "12", "012"]);
  });

  it("sends one request as the trial and the others elsewhere, until it succeeded", () => {
    const { clock, acquire } = balance(3, { strategy: firstOf().strategy });
    acquire().release(refused);
    clock.advance(10_000);
    const trial = acquire();
    expect(trial.endpoint.id).toBe("0");
    expect(acquire().endpoint.id).toBe("1");
    trial.release({ kind: "cancelled" });
    const second = acquire();
    expect(second.endpoint.id).toBe("0");
    expect(acquire().endpoint.id).toBe("1");
    second.release(success);
    expect(acquire().endpoint.id).toBe("0");
  });

  it("uses an endpoint whose trial is under way when all others are excluded", () => {
    const { clock, all, acquire } = balance(3, { strategy: firstOf().strategy });
    acquire().release(refused);
    clock.advance(10_000);
    acquire();
    expect(acquire(new Set([all[1]!])).endpoint.id).toBe("2");
    expect(acquire(new Set([all[1]!, all[2]!])).endpoint.id).toBe("0");
  });

  it("does not take the outcome of an older request for that of the trial", () => {
    const { clock, acquire, statusOf } = balance(3, { strategy: firstOf().strategy });
    const old = acquire();
    acquire().release(refused);
    clock.advance(10_000);
    const trial = acquire();
    old.release(refused);
    expect(statusOf(0).health.kind).toBe("trial");
    trial.release(success);
    expect(statusOf(0).health.kind).toBe("healthy");
  });

  it("tells of every change", () => {
    const { clock, acquire, told, all } = balance(2);
    acquire().release(refused);
    clock.advance(10_000);
    acquire(new Set([all[1]!])).release(success);
    const changes = told("health").map((event) => event.type === "health" && [event.from.kind, event.to.kind]);
    expect(changes).toEqual([
      ["healthy", "ejected"],
      ["ejected", "trial"],
      ["trial", "healthy"],
    ]);
  });
});

describe("Balancer: slow start", () => {
  const slow = { health: { slowStartMs: 1_000, outlier: false } } as const;
  const shareOf = (index: number, setup: ReturnType<typeof balance>) => {
    const before = setup.statusOf(index).requests;
    for (let request = 0; request < 1_000; request += 1) setup.acquire().release(success);
    return (setup.statusOf(index).requests - before) / 1_000;
  };

  it("starts endpoints that come together at full weight, and ramps one that joins them", () => {
    const setup = balance(4, { ...slow, strategy: powerOfTwo({ random: seededRandom(7) }) });
    expect(shareOf(3, setup)).toBeGreaterThan(0.2);
    const newcomer = endpointsInSlots(5)[4]!;
    setup.all.push(newcomer);
    setup.balancer.update(setup.all);
    expect(shareOf(4, setup)).toBeLessThan(0.05);
    setup.clock.advance(500);
    expect(shareOf(4, setup)).toBeGreaterThan(0.05);
    expect(shareOf(4, setup)).toBeLessThan(0.18);
    setup.clock.advance(500);
    expect(shareOf(4, setup)).toBeGreaterThan(0.17);
    // The retry budget's; none for a ramp.
    expect(setup.clock.pending).toBe(1);
  });

  it("ramps an endpoint that recovered", () => {
    const setup = balance(4, slow);
    setup.acquire().release(refused);
    setup.clock.advance(10_000);
    setup.acquire(new Set(setup.all.slice(1))).release(success);
    expect(shareOf(0, setup)).toBeLessThan(0.05);
    setup.clock.advance(1_000);
    expect(shareOf(0, setup)).toBe(0.25);
  });
});

describe("Balancer: retries", () => {
  it("adds requests to the budget, but not retries", () => {
    const { balancer, all, acquire } = balance(2, {
      retryBudget: { ...balancerDefaults.retryBudget, minRetriesPerSecond: 0, ratio: 0.5 },
    });
    expect(balancer.withdrawRetry()).toBe(false);
    acquire();
    acquire();
    for (let retry = 0; retry < 9; retry += 1) acquire(new Set([all[0]!]));
    expect(balancer.status().retriesLeft).toBe(1);
    expect(balancer.withdrawRetry()).toBe(true);
    expect(balancer.withdrawRetry()).toBe(false);
  });
});

describe("Balancer: listeners that throw", () => {
  it("cannot keep it from finishing what it does", async () => {
    const { clock, balancer, all, acquire, told, statusOf } = balance(4);
    balancer.subscribe(() => {
      throw new Error("listener");
    });
    const lease = acquire();
    expect(() => balancer.setDraining(all[0]!)).toThrow("listener");
    expect(() => lease.release(success)).toThrow("listener");
    await balancer.drained(all[0]!);
    expect(() => acquire().release(refused)).toThrow("listener");
    expect(statusOf(1)).toMatchObject({ inFlight: 0, failures: 1, health: { kind: "ejected" } });
    expect(() => clock.advance(10_000)).toThrow("listener");
    expect(statusOf(1).health.kind).toBe("trial");

    let served = 0;
    balancer.acquireOrWait({}, { exclude: new Set(all), onLease: () => (served += 1), onRefused: () => {} });
    expect(() => balancer.update([all[2]!, endpointsInSlots(5)[4]!])).toThrow(AggregateError);
    expect(served).toBe(1);
    expect(told("drained").map((event) => event.type === "drained" && event.endpoint.id)).toEqual(["0", "1", "3"]);
    expect(() => balancer.close()).toThrow("listener");
    expect(clock.pending).toBe(0);
    expect(balancer.acquire({})).toMatchObject({ reason: "closed" });
  });
});
