import { describe, expect, it } from "vitest";
import { successRateDefaults } from "../../test/support/default-settings.ts";
import { successRateOutliers } from "./success-rate.ts";

const counts = (name: string, successes: number, failures: number) => ({ name, successes, failures });
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

describe("successRateOutliers", () => {
  it("finds one failing endpoint among the fewest that are compared", () => {
    const endpoints = [counts("bad", 0, 100), ...["b", "c", "d", "e"].map((name) => counts(name, 100, 0))];
    expect(names(successRateOutliers(endpoints, successRateDefaults))).toEqual(["bad"]);
  });

  it("gives the worst first", () => {
    const good = Array.from({ length: 18 }, (_, index) => counts(`good ${index}`, 100, 0));
    const endpoints = [counts("bad", 40, 60), ...good, counts("worse", 20, 80)];
    expect(names(successRateOutliers(endpoints, successRateDefaults))).toEqual(["worse", "bad"]);
  });

  it("compares nobody when too few had enough requests", () => {
    const endpoints = [
      counts("bad", 0, 100),
      ...["b", "c", "d"].map((name) => counts(name, 100, 0)),
      counts("idle", 99, 0),
    ];
    expect(successRateOutliers(endpoints, successRateDefaults)).toEqual([]);
  });

  it("finds nobody among equals, however their mean is rounded", () => {
    const endpoints = Array.from({ length: 7 }, (_, index) => counts(`${index}`, 100 * (index + 1), 7 * (index + 1)));
    expect(successRateOutliers(endpoints, successRateDefaults)).toEqual([]);
  });
});
