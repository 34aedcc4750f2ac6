import { describe, expect, it } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { balance, firstOf, refused, reset, success } from "../../test/support/manual-balancer.ts";
import { leastConnections } from "../strategies/index.ts";

describe("Balancer: rosters", () => {
  it("says why there is nobody", () => {
    const { balancer, all } = balance(0);
    expect(balancer.acquire({})).toEqual({ kind: "unavailable", reason: "empty" });
    const [only] = endpointsInSlots(1);
    balancer.update([only!]);
    balancer.setDraining(only!);
    expect(balancer.acquire({})).toEqual({ kind: "unavailable", reason: "draining" });
    balancer.close();
    balancer.update(all);
    expect(balancer.acquire({})).toEqual({ kind: "unavailable", reason: "closed" });
  });

  it("keeps what it knows of endpoints that stay, and lets leases on leavers end", () => {
    const { balancer, all, acquire, ids } = balance(3, { strategy: leastConnections() });
    const [first, second, third] = [acquire(), acquire(), acquire()];
    balancer.update([all[1]!, all[2]!]);
    expect(balancer.status().endpoints.map(({ endpoint, inFlight }) => [endpoint.id, inFlight])).toEqual([
      ["0", 1],
      ["1", 1],
      ["2", 1],
    ]);
    second.release(success);
    expect(ids(1)).toBe("1");
    expect(first.release(success)).toBe(true);
    third.release(success);
    expect(balancer.status().endpoints.map(({ endpoint }) => endpoint.id)).toEqual(["1", "2"]);
  });

  it("takes an endpoint that left and came back, leases and all", () => {
    const { balancer, all, acquire, ids, statusOf } = balance(2);
    const lease = acquire();
    balancer.update([all[1]!]);
    expect(ids(2)).toBe("11");
    balancer.update(all);
    expect(statusOf(0)).toMatchObject({ phase: "serving", inFlight: 1 });
    expect(ids(2)).toContain("0");
    lease.release(refused);
    expect(statusOf(0)).toMatchObject({ inFlight: 1, requests: 2, failures: 1, health: { kind: "ejected" } });
  });

  it("holds back changes of health until the update is complete", () => {
    const setup = balance(8, { strategy: firstOf().strategy });
    for (let times = 0; times < 4; times += 1) setup.acquire().release(refused);
    const seen: string[] = [];
    setup.balancer.subscribe((event) => {
      if (event.type === "health") seen.push(`${event.endpoint.id} ${event.to.kind} ${setup.acquire().endpoint.id}`);
    });
    // Four of five ejected are more than the cap allows, and the newcomer must be known when listeners acquire.
    setup.balancer.update([...setup.all.slice(0, 4), endpointsInSlots(9)[8]!]);
    expect(seen).toEqual(["0 trial 0", "1 trial 1"]);
  });

  it("refuses a roster in which an id occurs twice, and keeps the old one", () => {
    const { balancer, all, ids } = balance(2);
    expect(() => balancer.update([all[0]!, endpointsInSlots(1)[0]!])).toThrow(
      expect.objectContaining({ code: "LB_OPTION", option: "endpoints[1].id" }),
    );
    expect(ids(2)).toBe("01");
    expect(balancer.roster.version).toBe(1);
  });
});

describe("Balancer: draining", () => {
  it("gives no new leases, and resolves when the last one has ended", async () => {
    const { balancer, all, acquire, ids, statusOf, events } = balance(2);
    const lease = acquire();
    let drained = false;
    const wait = balancer.drained(all[0]!).then(() => {
      drained = true;
    });
    balancer.setDraining(all[0]!);
    balancer.setDraining(all[0]!);
    expect(ids(3)).toBe("111");
    expect(statusOf(0)).toMatchObject({ phase: "draining", inFlight: 1 });
    await Promise.resolve();
    expect(drained).toBe(false);
    lease.release(success);
    await wait;
    expect(statusOf(0)).toMatchObject({ phase: "drained", inFlight: 0 });
    expect(events.slice(1)).toEqual([
      { type: "draining", endpoint: all[0] },
      { type: "drained", endpoint: all[0], requests: 1, failures: 0 },
    ]);
  });

  it("is over at once without a lease, and for endpoints that are not known", async () => {
    const { balancer, all, told } = balance(2);
    balancer.setDraining(all[0]!);
    await balancer.drained(all[0]!);
    await balancer.drained(endpointsInSlots(1)[0]!);
    expect(told("drained")).toHaveLength(1);
    balancer.update([all[1]!]);
    expect(told("drained")).toHaveLength(1);
    expect(balancer.status().endpoints).toHaveLength(1);
  });

  it("covers endpoints that leave the roster", async () => {
    const { balancer, all, acquire, told } = balance(2);
    const lease = acquire();
    balancer.update([]);
    expect(told("draining")).toHaveLength(2);
    expect(told("drained")).toEqual([{ type: "drained", endpoint: all[1], requests: 0, failures: 0 }]);
    const wait = balancer.drained(all[0]!);
    lease.release(reset);
    await wait;
    expect(told("drained")[1]).toEqual({ type: "drained", endpoint: all[0], requests: 1, failures: 1 });
  });

  it("goes on when the endpoint leaves during its drain", async () => {
    const { balancer, all, acquire, told } = balance(2);
    const lease = acquire();
    balancer.setDraining(all[0]!);
    balancer.update([all[1]!]);
    lease.release(success);
    await balancer.drained(all[0]!);
    expect(told("draining")).toHaveLength(1);
    expect(told("drained")).toHaveLength(1);
    expect(balancer.status().endpoints).toHaveLength(1);
  });
});

describe("Balancer: what was begun before", () => {
  function settling(
    balancer: ReturnType<typeof balance>["balancer"],
    endpoint: Parameters<typeof balancer.settled>[0],
  ) {
    const state = { over: false };
    void balancer.settled(endpoint).then(() => {
      state.over = true;
    });
    return async () => {
      await Promise.resolve();
      return state.over;
    };
  }

  it("is waited for, whatever begins and ends meanwhile, by each who asked at its time", async () => {
    const { balancer, all } = balance(2);
    const earlier = [balancer.acquireAt(all[0]!)!, balancer.acquireAt(all[0]!)!];
    balancer.update([all[1]!], [all[0]!]);
    const first = settling(balancer, all[0]!);
    const later = balancer.acquireOnly(all[0]!)!;
    const second = settling(balancer, all[0]!);
    earlier[0]!.release(success);
    const latest = balancer.acquireOnly(all[0]!)!;
    expect([await first(), await second()]).toEqual([false, false]);
    earlier[1]!.release(reset);
    expect([await first(), await second()]).toEqual([true, false]);
    later.release(success);
    later.release(success);
    expect(await second()).toBe(true);
    latest.release(success);
    const nothing = settling(balancer, all[0]!);
    expect(await nothing()).toBe(true);
  });

  it("is over with a tunnel's opening, and for endpoints that are not known", async () => {
    const { balancer, all, acquire } = balance(1);
    const [tunnel, opening] = [acquire(), acquire()];
    tunnel.observe(success);
    const wait = settling(balancer, all[0]!);
    expect(await wait()).toBe(false);
    opening.observe(success);
    expect(await wait()).toBe(true);
    opening.release(success);
    tunnel.release(success);
    expect(await settling(balancer, endpointsInSlots(2)[1]!)()).toBe(true);
  });
});

describe("Balancer: endpoints that linger", () => {
  it("are given leases by name only, and their figures are final once they are gone", () => {
    const { balancer, all, acquire, ids, told } = balance(2);
    acquire().release(success);
    balancer.update([all[1]!], [all[0]!]);
    expect(ids(3)).toBe("111");
    expect(balancer.acquireAt(all[0]!)).toBeUndefined();
    for (let request = 0; request < 2; request++) {
      const lease = balancer.acquireOnly(all[0]!)!;
      expect(lease.endpoint).toBe(all[0]);
      lease.release(success);
    }
    expect(told("drained")).toEqual([]);
    balancer.update([all[1]!]);
    expect(told("drained")).toEqual([{ type: "drained", endpoint: all[0], requests: 3, failures: 0 }]);
    expect(balancer.acquireOnly(all[0]!)).toBeUndefined();
    expect(balancer.status().endpoints).toHaveLength(1);
  });

  it("are forgotten with their last lease, if that outlives them", () => {
    const { balancer, all, told } = balance(2);
    balancer.update([all[1]!], [all[0]!]);
    const lease = balancer.acquireOnly(all[0]!)!;
    balancer.update([all[1]!]);
    expect(told("drained")).toEqual([]);
    lease.release(success);
    expect(told("drained")).toHaveLength(1);
  });

  it("may come back", () => {
    const { balancer, all, ids, told } = balance(2);
    balancer.update([all[1]!], [all[0]!]);
    balancer.update(all);
    expect(ids(2).split("").sort().join("")).toBe("01");
    expect(told("drained")).toEqual([]);
  });
});

describe("Balancer: closing", () => {
  it("leaves no timer, and open leases stay valid", () => {
    const { clock, balancer, acquire } = balance(4, { health: { slowStartMs: 1_000 } });
    const lease = acquire();
    acquire().release(refused);
    balancer.update([...balancer.roster.endpoints, endpointsInSlots(5)[4]!]);
    acquire().release(success);
    expect(clock.pending).toBeGreaterThan(2);
    balancer.close();
    balancer.close();
    expect(clock.pending).toBe(0);
    expect(lease.release(success)).toBe(true);
    expect(clock.pending).toBe(0);
    expect(balancer.status().endpoints).toEqual([]);
  });
});
