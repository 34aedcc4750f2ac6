import { describe, expect, expectTypeOf, it } from "vitest";
import { activeDefaults, healthDefaults } from "../../test/support/default-settings.ts";
import type { HealthOptions, HealthSettings, StatusExpectation } from "./health-options.ts";
import { healthSchema } from "./health-options.ts";
import { parseOptions } from "./validation.ts";

const parse = (options: unknown) => parseOptions(healthSchema, options, "health");
const optionRefused = (options: unknown) => {
  try {
    parse(options);
  } catch (error) {
    return (error as { option?: string }).option;
  }
  return "accepted";
};

describe("the health option", () => {
  it("has the documented defaults", () => {
    expect(parse({})).toEqual(healthDefaults);
    expect(parse({ passive: undefined, outlier: {}, active: false })).toEqual(healthDefaults);
    expectTypeOf(parse({})).toEqualTypeOf<HealthSettings>();
  });

  it("completes each part that is given", () => {
    const options: HealthOptions = {
      passive: { maxFails: 3 },
      outlier: { consecutiveFailures: false, successRate: { minHosts: 3 } },
      active: { path: "/health?full=1" },
      slowStartMs: 10_000,
    };
    expect(parse(options)).toEqual({
      ...healthDefaults,
      passive: { on: ["connect"], maxFails: 3, failTimeoutMs: 10_000 },
      outlier: {
        on: ["connect", "reset", "timeout", "invalid-response", 502, 503, 504],
        consecutiveFailures: false,
        intervalMs: 10_000,
        baseEjectionMs: 10_000,
        maxEjectionMs: 300_000,
        successRate: {
          on: ["connect", "reset", "timeout", "invalid-response", "5xx"],
          minHosts: 3,
          minRequests: 100,
          stdevFactor: 1.9,
        },
      },
      active: { ...activeDefaults, path: "/health?full=1" },
      slowStartMs: 10_000,
    });
  });

  it("switches each part off", () => {
    expect(parse({ passive: false, outlier: false })).toMatchObject({ passive: false, outlier: false });
    expect(parse({ outlier: { successRate: false } })).toMatchObject({ outlier: { successRate: false } });
  });

  it("makes a test of every form of expectStatus", () => {
    const accepted = (expectStatus?: StatusExpectation) => {
      const { active } = parse({ active: { path: "/", expectStatus } });
      return [199, 200, 204, 302, 399, 400].filter((status) => active !== false && active.expectStatus(status));
    };
    expect(accepted()).toEqual([200, 204, 302, 399]);
    expect(accepted(204)).toEqual([204]);
    expect(accepted([200, 302])).toEqual([200, 302]);
    expect(accepted({ from: 200, to: 299 })).toEqual([200, 204]);
    expect(accepted((status) => status === 400)).toEqual([400]);
  });

  it.each([
    [{ active: {} }, "health.active.path"],
    [{ active: true }, "health.active"],
    [{ active: { path: "health" } }, "health.active.path"],
    [{ active: { path: "/a b" } }, "health.active.path"],
    [{ active: { path: "/a\r\nX: y" } }, "health.active.path"],
    [{ active: { path: "/", expectStatus: "2xx" } }, "health.active.expectStatus"],
    [{ active: { path: "/", expectStatus: [99] } }, "health.active.expectStatus"],
    [{ active: { path: "/", jitter: 2 } }, "health.active.jitter"],
    [{ passive: { maxFails: 0 } }, "health.passive.maxFails"],
    [{ passive: { on: ["conect"] } }, "health.passive.on[0]"],
    [{ outlier: { successRate: { minHost: 3 } } }, "health.outlier.successRate.minHost"],
    [{ maxEjectedShare: 50 }, "health.maxEjectedShare"],
    [{ panicThreshold: "half" }, "health.panicThreshold"],
    [{ slowStartMs: -1 }, "health.slowStartMs"],
  ])("refuses %j by the name of the option", (options, option) => {
    expect(optionRefused(options)).toBe(option);
  });
});
