import { describe, expect, it } from "vitest";
import { balancerDefaults, healthDefaults } from "../../test/support/default-settings.ts";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Outcome } from "../model/outcome.ts";
import type { WaitQueueSettings } from "../options/queue-options.ts";
import { roundRobin } from "../strategies/index.ts";
import { Balancer } from "./balancer.ts";

const success: Outcome = { kind: "success" };

function waitingRoom(queue: Partial<WaitQueueSettings> = {}) {
  const clock = new ManualClock();
  const health = new HealthTracker({ settings: healthDefaults, clock });
  const refused: string[] = [];
  const balancer = new Balancer({
    strategy: roundRobin(),
    health,
    clock,
    ...balancerDefaults,
    queue: { ...balancerDefaults.queue, ...queue },
    refused: (reason) => refused.push(reason),
  });
  const told: string[] = [];
  const wait = (name: string, exclude?: ReadonlySet<Endpoint>, then?: () => void) =>
    balancer.acquireOrWait(
      {},
      {
        exclude,
        onLease: (lease) => {
          told.push(`${name}@${lease.endpoint.id}`);
          then?.();
        },
        onRefused: (reason) => {
          told.push(`${name} ${reason}`);
          then?.();
        },
      },
    );
  return { clock, balancer, told, refused, wait };
}

describe("waiting for an endpoint", () => {
  it("does not happen when there is one", () => {
    const { balancer, told, wait, clock } = waitingRoom();
    balancer.update(endpointsInSlots(1));
    wait("a")();
    expect(told).toEqual(["a@0"]);
    balancer.close();
    expect(clock.pending).toBe(0);
  });

  it("is first come, first served", () => {
    const { balancer, told, wait } = waitingRoom();
    for (const name of ["a", "b", "c"]) wait(name);
    expect(balancer.status().waiting).toBe(3);
    balancer.update(endpointsInSlots(2));
    expect(told).toEqual(["a@0", "b@1", "c@0"]);
    expect(balancer.status().waiting).toBe(0);
  });

  it("is bounded", () => {
    const { told, refused, wait } = waitingRoom({ maxWaiting: 2 });
    const leave = wait("a");
    wait("b");
    wait("c");
    leave();
    wait("d");
    expect(told).toEqual(["c queue-full"]);
    expect(refused).toEqual(["queue-full"]);
    const none = waitingRoom({ maxWaiting: 0 });
    none.wait("a");
    expect(none.told).toEqual(["a queue-full"]);
  });

  it("ends after maxWaitMs, for each by its own time, with one timer", () => {
    const { clock, told, wait } = waitingRoom({ maxWaitMs: 100 });
    wait("a");
    clock.advance(40);
    wait("b");
    wait("c");
    expect(clock.pending).toBe(1);
    clock.advance(59);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(["a wait-timeout"]);
    expect(clock.pending).toBe(1);
    clock.advance(40);
    expect(told).toEqual(["a wait-timeout", "b wait-timeout", "c wait-timeout"]);
    expect(clock.pending).toBe(0);
  });

  it("can be cancelled, also after it ended, and the first's departure does not shorten the others' wait", () => {
    const { clock, balancer, told, wait } = waitingRoom({ maxWaitMs: 100 });
    const leave = wait("a");
    clock.advance(40);
    const leaveToo = wait("b");
    leave();
    leave();
    clock.advance(99);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(["b wait-timeout"]);
    leaveToo();
    wait("c")();
    expect(clock.pending).toBe(0);
    expect(balancer.status().waiting).toBe(0);
  });

  it("goes on for those who exclude all that is there, while others pass", () => {
    const { balancer, told, wait } = waitingRoom();
    const [first, second] = endpointsInSlots(2);
    wait("a", new Set([first!]));
    wait("b");
    balancer.update([first!]);
    expect(told).toEqual(["b@0"]);
    balancer.update([first!, second!]);
    expect(told).toEqual(["b@0", "a@1"]);
  });

  it("ends when an endpoint recovers", () => {
    const { clock, balancer, told, wait } = waitingRoom();
    const [first, second] = endpointsInSlots(2);
    balancer.update([first!, second!]);
    const lease = balancer.acquireAt(first!)!;
    lease.release({ kind: "failure", reason: "connect" });
    wait("a", new Set([second!]));
    expect(told).toEqual([]);
    clock.advance(10_000 - 1);
    expect(told).toEqual(["a wait-timeout"]);
    wait("b", new Set([second!]));
    clock.advance(1);
    expect(told[1]).toBe("b@0");
  });

  it("ends with the balancer", () => {
    const { clock, balancer, told, wait } = waitingRoom();
    wait("a");
    balancer.close();
    wait("b");
    expect(told).toEqual(["a closed", "b closed"]);
    expect(clock.pending).toBe(0);
  });

  it("bears calls that change everything", () => {
    const { balancer, told, wait } = waitingRoom();
    const [first, second] = endpointsInSlots(2);
    const leaveC: { call?: () => void } = {};
    wait("a", undefined, () => {
      leaveC.call?.();
      balancer.update([second!]);
      wait("e", new Set([second!]));
    });
    wait("b");
    leaveC.call = wait("c");
    wait("d");
    balancer.update([first!]);
    expect(told).toEqual(["a@0", "b@1", "d@1"]);
    balancer.update([first!, second!]);
    expect(told[3]).toBe("e@0");
    expect(balancer.status().endpoints.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
    balancer.acquireAt(first!)?.release(success);
  });

  it("asks those again who were passed over, when a call made later brings somebody for them", () => {
    const { balancer, told, wait } = waitingRoom();
    const [first, second] = endpointsInSlots(2);
    wait("a", new Set([first!]));
    wait("b", undefined, () => balancer.update([first!, second!]));
    balancer.update([first!]);
    expect(told).toEqual(["b@0", "a@1"]);
  });

  it("serves the others later when a call throws", () => {
    const { balancer, told, wait } = waitingRoom();
    wait("a", undefined, () => {
      throw new Error("a broke");
    });
    wait("b");
    const endpoints = endpointsInSlots(1);
    expect(() => balancer.update(endpoints)).toThrow("a broke");
    balancer.update(endpoints);
    expect(told).toEqual(["a@0", "b@0"]);
  });
});
