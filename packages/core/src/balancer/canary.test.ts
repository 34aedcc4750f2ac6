import { describe, expect, it } from "vitest";
import { balance, refused, success } from "../../test/support/manual-balancer.ts";
import { leastConnections } from "../strategies/index.ts";

describe("Balancer: a canary", () => {
  it("gets exactly its share, whatever the strategy would have given it", () => {
    const { balancer, all, acquire, statusOf } = balance(3, { strategy: leastConnections() });
    balancer.setCanary([all[2]!], 0.05);
    for (let request = 0; request < 1_000; request += 1) acquire().release(success);
    expect(statusOf(2).requests).toBe(50);
    expect(statusOf(0).requests + statusOf(1).requests).toBe(950);
    balancer.setCanary([]);
    for (let request = 0; request < 30; request += 1) acquire();
    expect(statusOf(2).inFlight).toBe(10);
  });

  it("gets no retries, while its own go to the others", () => {
    const { balancer, all, acquire } = balance(3);
    balancer.setCanary([all[0]!], 1);
    const lease = acquire();
    expect(lease.endpoint).toBe(all[0]);
    lease.release(refused);
    for (let request = 0; request < 10; request += 1) expect(acquire(new Set([all[1]!])).endpoint).toBe(all[2]);
  });

  it("is passed over when it is ejected, and serves alone when the others are gone", () => {
    const { balancer, all, acquire, clock } = balance(3, { health: { maxEjectedShare: 0.5 } });
    balancer.setCanary([all[2]!], 0.5);
    balancer.acquireAt(all[2]!)!.release(refused);
    expect(Array.from({ length: 6 }, () => acquire().endpoint.id)).not.toContain("2");
    expect(balancer.acquireAt(all[2]!)).toBeUndefined();
    clock.advance(60_000);
    balancer.update([all[2]!]);
    expect(acquire().endpoint).toBe(all[2]);
  });

  it("can be addressed by an affinity, as the others", () => {
    const { balancer, all } = balance(3);
    balancer.setCanary([all[1]!], 0.1);
    expect(balancer.acquireAt(all[1]!)?.endpoint).toBe(all[1]);
    expect(balancer.acquireAt(all[0]!)?.endpoint).toBe(all[0]);
  });
});
