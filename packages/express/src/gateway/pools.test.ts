import { createBalancer } from "@lb/core";
import { describe, expect, it } from "vitest";
import { Pools } from "./pools.ts";

function poolsOf(maxPools: number) {
  const made: string[] = [];
  const pools = new Pools({
    own: createBalancer({ endpoints: [] }),
    maxPools,
    create: (endpoints) => {
      made.push(JSON.stringify(endpoints));
      return createBalancer({ endpoints });
    },
  });
  return { pools, made };
}

describe("Pools", () => {
  it("has one balancer for each list, however it is given", () => {
    const { pools, made } = poolsOf(10);
    const [a, b] = [pools.of("http://a"), pools.of([{ url: "http://b", weight: 2 }])];
    expect(pools.of("http://a")).toBe(a);
    expect(pools.of([{ url: "http://b", weight: 2 }])).toBe(b);
    expect(pools.of(["http://b"])).not.toBe(b);
    expect(made).toHaveLength(3);
    expect(pools.of(undefined).status().endpoints).toEqual([]);
  });

  it("is bounded: what was asked for longest ago goes first (BAD-INPUTS 84)", () => {
    const { pools, made } = poolsOf(2);
    pools.of("http://a");
    pools.of("http://b");
    pools.of("http://a");
    pools.of("http://c");
    pools.of("http://a");
    expect(made).toHaveLength(3);
    pools.of("http://b");
    expect(made).toHaveLength(4);
    expect(pools.statuses()).toHaveLength(2);
  });

  it("says that a router returned no target", () => {
    const { pools } = poolsOf(2);
    for (const wrong of ["nonsense", "", {}, 7, null]) {
      expect(() => pools.of(wrong as string)).toThrow(expect.objectContaining({ code: "LB_RULE" }));
    }
    expect(pools.statuses()).toEqual([]);
  });
});
