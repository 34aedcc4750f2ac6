import { describe, expect, it } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { OptionError } from "../model/errors.ts";
import { emptyRoster, nextRoster } from "./roster.ts";

describe("nextRoster", () => {
  it("is a frozen copy with a new version", () => {
    const endpoints = endpointsInSlots(2);
    const roster = nextRoster(emptyRoster, endpoints);
    endpoints.pop();
    expect(roster.version).toBe(1);
    expect(roster.endpoints).toHaveLength(2);
    expect(Object.isFrozen(roster) && Object.isFrozen(roster.endpoints)).toBe(true);
  });

  it("refuses an id that occurs twice", () => {
    const [first] = endpointsInSlots(1);
    expect(() => nextRoster(emptyRoster, [first!, { ...first!, slot: 1 }])).toThrow(
      new OptionError("endpoints[1].id", "0", "another endpoint has the same id"),
    );
  });
});
