import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { type Check, HealthChecks } from "./health-checks.ts";

function made(checks: Record<string, Check>) {
  const clock = new ManualClock();
  return { clock, health: new HealthChecks({ checks, timeoutMs: 100, cacheMs: 1_000, clock }) };
}

describe("HealthChecks", () => {
  it("tells what each check said, threw or rejected with", async () => {
    const { health } = made({
      silent: () => {},
      telling: async () => ({ rows: 1 }),
      throwing: () => {
        throw new Error("thrown");
      },
      rejecting: () => Promise.reject("a text"),
    });
    expect(await health.results()).toEqual([
      { name: "silent", status: "ok", durationMs: 0 },
      { name: "telling", status: "ok", durationMs: 0, details: { rows: 1 } },
      { name: "throwing", status: "failed", durationMs: 0, error: "thrown" },
      { name: "rejecting", status: "failed", durationMs: 0, error: "a text" },
    ]);
  });

  it("tells whatever a check returns or throws, as far as JSON can hold it", async () => {
    const cycle: Record<string, unknown> = { rows: 1 };
    cycle["self"] = cycle;
    const { health } = made({
      big: () => ({ rows: 12n }),
      cyclic: () => cycle,
      hostile: () => ({
        toJSON() {
          throw new Error("no");
        },
      }),
      functional: () => () => {},
      bare: () => Promise.reject(Object.create(null)),
      odd: () => Promise.reject(Object.assign(new Error(), { message: 7n })),
    });
    const results = await health.results();
    expect(() => JSON.stringify(results)).not.toThrow();
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok", "failed", "failed"]);
    expect(results[0]).toMatchObject({ details: "{ rows: 12n }" });
    expect(results[1]).toMatchObject({ details: expect.stringContaining("Circular") });
    expect(results[5]).toMatchObject({ error: "7n" });
  });

  it("gives up on a check that takes too long, and tells it so", async () => {
    let signal: AbortSignal | undefined;
    const { clock, health } = made({
      hangs: (given) => {
        signal = given;
        return new Promise(() => {});
      },
    });
    const results = health.results();
    await Promise.resolve();
    clock.advance(100);
    expect(await results).toMatchObject([{ status: "failed", durationMs: 100, error: "took longer than 100 ms" }]);
    expect(signal!.aborted).toBe(true);
  });

  it("asks once for all that ask at once, and again when the result is old", async () => {
    let asked = 0;
    const { clock, health } = made({
      counted: () => {
        asked++;
      },
    });
    await Promise.all([health.results(), health.results()]);
    clock.advance(999);
    await health.results();
    expect(asked).toBe(1);
    clock.advance(1);
    await health.results();
    expect(asked).toBe(2);
  });
});
