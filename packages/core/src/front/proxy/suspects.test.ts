import { beforeEach, describe, expect, it } from "vitest";
import { balance } from "../../../test/support/manual-balancer.ts";
import type { Lease } from "../../balancer/balancer.ts";
import { type Suspect, Suspects } from "./suspects.ts";

const turn = async () => {
  for (let n = 0; n < 4; n += 1) await new Promise((resolve) => setImmediate(resolve));
};
const answered = { kind: "success" } as const;
const died = { kind: "failure", reason: "reset" } as const;

describe("suspects", () => {
  let setting: ReturnType<typeof balance>;
  let suspects: Suspects;
  /** Those whose turn has come, with what they got. */
  let tried: { name: string; lease: Lease }[];
  let refused: string[];

  const begin = (endpoints: number) => {
    setting = balance(endpoints);
    suspects = new Suspects({ balancer: setting.balancer, clock: setting.clock });
    [tried, refused] = [[], []];
  };
  beforeEach(() => begin(2));

  const suspect = (name: string): Suspect => ({
    acquire: () => setting.balancer.acquire({}),
    onLease: (lease) => void tried.push({ name, lease }),
    onRefused: () => void refused.push(name),
  });
  const names = () => tried.map(({ name }) => name);

  it("tries them one after the other, in their order", async () => {
    for (const name of ["a", "b", "c"]) suspects.add(suspect(name), 30_000);
    expect(names()).toEqual([]);
    await turn();
    expect(names()).toEqual(["a"]);
    tried[0]!.lease.release(answered);
    await turn();
    expect(names()).toEqual(["a", "b"]);
    tried[1]!.lease.release(died);
    await turn();
    expect(names()).toEqual(["a", "b", "c"]);
  });

  it("keeps everybody else from its instance meanwhile; those who find nobody wait", async () => {
    suspects.add(suspect("a"), 30_000);
    await turn();
    const { endpoint } = tried[0]!.lease;
    for (let n = 0; n < 4; n += 1) expect(setting.acquire().endpoint).not.toBe(endpoint);
    const other = setting.all.find((one) => one !== endpoint)!;
    setting.balancer.setDraining(other);
    expect(setting.balancer.acquire({})).toEqual({ kind: "unavailable", reason: "set-aside" });
    const waited: Lease[] = [];
    setting.balancer.acquireOrWait({}, { onLease: (lease) => void waited.push(lease), onRefused: () => {} });
    tried[0]!.lease.release(answered);
    await turn();
    expect(waited[0]!.endpoint).toBe(endpoint);
  });

  it("lets those finish first that are there already, but not for ever", async () => {
    begin(1);
    const [first, second] = [setting.acquire(), setting.acquire()];
    suspects.add(suspect("a"), 30_000);
    await turn();
    expect(names()).toEqual([]);
    first.release(answered);
    setting.clock.advance(400);
    second.release(answered);
    expect(names()).toEqual([]);
    setting.clock.advance(5);
    expect(names()).toEqual(["a"]);
    tried[0]!.lease.release(answered);
    await turn();
    setting.acquire();
    suspects.add(suspect("b"), 30_000);
    await turn();
    setting.clock.advance(499);
    expect(names()).toEqual(["a"]);
    setting.clock.advance(6);
    expect(names()).toEqual(["a", "b"]);
  });

  it("does not wait for company when it has waited long itself", async () => {
    for (const name of ["a", "b", "c", "d"]) suspects.add(suspect(name), 30_000);
    const company = Array.from({ length: 1_000 }, () => setting.acquire());
    await turn();
    // There is always somebody, and always somebody who finishes.
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        setting.clock.advance(100);
        for (const lease of company.splice(0, 4)) lease.release(answered);
        await turn();
      }
    };
    await pass(2_000);
    expect(names()).toEqual(["a"]);
    await pass(1_000);
    expect(names()).toEqual(["a", "b", "c", "d"]);
  });

  it("gives one that comes back untried its place again, and its age", async () => {
    begin(1);
    for (const name of ["b", "c"]) suspects.add(suspect(name), 30_000);
    await turn();
    expect(names()).toEqual(["b"]);
    // Company that does not finish.
    for (let n = 0; n < 2; n += 1) setting.balancer.acquireAt(setting.all[0]!);
    suspects.add(suspect("a"), 30_000, setting.clock.now() - 2_000);
    tried[0]!.lease.release(died);
    await turn();
    expect(names()).toEqual(["b", "a"]);
    tried[1]!.lease.release(answered);
    await turn();
    expect(names()).toEqual(["b", "a"]);
    setting.clock.advance(505);
    expect(names()).toEqual(["b", "a", "c"]);
  });

  it("does not wait for tunnels", async () => {
    begin(1);
    setting.acquire().observe(answered);
    suspects.add(suspect("a"), 30_000);
    await turn();
    expect(names()).toEqual(["a"]);
  });

  it("goes elsewhere when the instance dies before the suspect was sent there", async () => {
    const others = [setting.acquire(), setting.acquire()];
    suspects.add(suspect("a"), 30_000);
    await turn();
    expect(names()).toEqual([]);
    const [one, two] = setting.all;
    setting.balancer.update([two!]);
    setting.clock.advance(5);
    others.find(({ endpoint }) => endpoint === two)!.release(answered);
    await turn();
    setting.clock.advance(5);
    expect(tried[0]?.lease.endpoint).toBe(two);
    expect(setting.balancer.unansweredAt(one!)).toBeUndefined();
  });

  it("does not hold an instance for one that takes its time", async () => {
    suspects.add(suspect("a"), 30_000);
    suspects.add(suspect("b"), 30_000);
    await turn();
    setting.clock.advance(250);
    await turn();
    expect(names()).toEqual(["a", "b"]);
  });

  it("waits for an instance, and refuses when none comes in time", async () => {
    const [one] = setting.all;
    setting.balancer.update([]);
    suspects.add(suspect("a"), 1_000);
    suspects.add(suspect("b"), 5_000);
    const leave = suspects.add(suspect("c"), 5_000);
    await turn();
    leave();
    setting.clock.advance(1_000);
    expect(refused).toEqual(["a"]);
    setting.balancer.update([one!]);
    await turn();
    expect(names()).toEqual(["b"]);
    setting.clock.advance(60_000);
    expect(refused).toEqual(["a"]);
  });

  it("is full at some point", async () => {
    for (let n = 0; n < 31; n += 1) suspects.add(suspect(`${n}`), 30_000);
    expect(suspects.full).toBe(false);
    suspects.add(suspect("one more"), 30_000);
    expect(suspects.full).toBe(true);
    await turn();
  });

  it("leaves nothing behind when the balancer closes", async () => {
    suspects.add(suspect("a"), 30_000);
    setting.balancer.close();
    await turn();
    expect(refused).toEqual(["a"]);
    expect(setting.clock.pending).toBe(0);
  });
});
