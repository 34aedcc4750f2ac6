import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { localRates, sharedRates } from "./shared-rates.ts";

const rate = { points: 10, windowMs: 1_000, burst: 1 };

describe("localRates", () => {
  it("keeps the pace of its clock", async () => {
    const clock = new ManualClock();
    const rates = localRates({ clock });
    const allowed = async () => (await rates.take("a", rate)).allowed;
    expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
    clock.advance(100);
    expect([await allowed(), await allowed()]).toEqual([true, false]);
  });

  it("remembers maxKeys keys", async () => {
    const rates = localRates({ maxKeys: 1, clock: new ManualClock() });
    const once = { ...rate, burst: 0 };
    await rates.take("a", once);
    await rates.take("b", once);
    expect((await rates.take("a", once)).allowed).toBe(true);
  });
});

describe.each([
  ["localRates", localRates()],
  ["sharedRates", sharedRates("test")],
])("%s", (_name, rates) => {
  it.each([
    ["points", { points: 0 }],
    ["points", { points: Number.POSITIVE_INFINITY }],
    ["windowMs", { windowMs: Number.NaN }],
    ["burst", { burst: -1 }],
  ])("rejects with the name of what is no rate: %s", async (option, part) => {
    await expect(rates.take("a", { ...rate, ...part })).rejects.toMatchObject({ code: "LB_OPTION", option });
  });
});

describe("sharedRates", () => {
  it("is for instances, and says so", async () => {
    await expect(sharedRates("test").take("a", rate)).rejects.toMatchObject({ code: "LB_HUB_NO_INSTANCE" });
    await expect(sharedRates("test").take("", rate)).rejects.toMatchObject({ code: "LB_OPTION", option: "key" });
    expect(() => sharedRates("")).toThrow(/"name"/);
  });
});
