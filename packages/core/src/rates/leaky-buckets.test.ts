import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LeakyBuckets, type Poured } from "./leaky-buckets.ts";

/** ngx_http_limit_req_module.c of nginx 1.26, `ngx_http_limit_req_lookup`, for one limit: true where it is not NGX_BUSY. */
class Nginx {
  readonly #rate: number;
  readonly #burst: number;
  readonly #nodes = new Map<string, { excess: number; last: number }>();

  /** Both times 1,000, as `rate=10r/s` and `burst=20` are kept. */
  constructor(requestsPerSecond: number, burst: number) {
    this.#rate = requestsPerSecond * 1_000;
    this.#burst = burst * 1_000;
  }

  /** The excess that it is let in with, or undefined. */
  lookup(key: string, now: number): number | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) {
      this.#nodes.set(key, { excess: 0, last: now });
      return 0;
    }
    let ms = now - node.last;
    if (ms < -60_000) ms = 1;
    else if (ms < 0) ms = 0;
    const excess = Math.max(0, node.excess - Math.trunc((this.#rate * ms) / 1_000) + 1_000);
    if (excess > this.#burst) return undefined;
    node.excess = excess;
    if (ms > 0) node.last = now;
    return excess;
  }
}

// nginx counts whole thousandths of a request, and a product of ours may be one but for rounding.
const excessOf = (poured: Poured) => (poured.kind === "fits" ? Math.round(poured.excess * 1_000) : undefined);
const perSecond = (points: number, burst: number, maxKeys = 1_000) =>
  new LeakyBuckets({ points, windowMs: 1_000, burst, maxKeys });

describe("as nginx's limit_req", () => {
  const traffic = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom("a", "b")), { maxLength: 300 });
  test("every request of any traffic is judged as by nginx's arithmetic", () => {
    fc.assert(
      fc.property(traffic, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 60 }), (steps, rate, burst) => {
        const [ours, theirs] = [perSecond(rate, burst), new Nginx(rate, burst)];
        let now = 0;
        for (const [pause, key] of steps) {
          // Most requests come in bunches, as they do where a limit matters.
          now += pause > 100 ? 0 : pause;
          expect(excessOf(ours.pour(key, now))).toBe(theirs.lookup(key, now));
        }
      }),
    );
  });

  test("10 in a second with a burst of 20: 21 at once, then one every 100 ms", () => {
    const buckets = perSecond(10, 20);
    const at = (now: number, requests: number) =>
      Array.from({ length: requests }, () => buckets.pour("a", now)).filter(({ kind }) => kind === "fits").length;
    expect(at(0, 30)).toBe(21);
    expect(at(99, 5)).toBe(0);
    expect(at(100, 5)).toBe(1);
    expect(at(350, 5)).toBe(2);
    expect(at(60_000, 30)).toBe(21);
  });

  test("who is told to wait so long fits then, and not a moment before", () => {
    const buckets = perSecond(3, 0);
    buckets.pour("a", 0);
    const { waitMs } = buckets.pour("a", 100) as Extract<Poured, { kind: "full" }>;
    expect(waitMs).toBeCloseTo(1_000 / 3 - 100);
    expect(buckets.pour("a", 100 + waitMs - 1).kind).toBe("full");
    expect(buckets.pour("a", 100 + Math.ceil(waitMs)).kind).toBe("fits");
  });

  test("rates far below one a second are exact", () => {
    const buckets = new LeakyBuckets({ points: 5, windowMs: 3_600_000, burst: 4, maxKeys: 10 });
    for (let request = 0; request < 5; request++) expect(buckets.pour("a", 0).kind).toBe("fits");
    expect(buckets.pour("a", 719_999).kind).toBe("full");
    expect(buckets.pour("a", 720_000).kind).toBe("fits");
  });
});

describe("the table", () => {
  test("is bounded: for one more key, that goes which was idle for longest", () => {
    const buckets = perSecond(1, 1, 3);
    for (const key of ["a", "b", "c"]) for (let times = 0; times < 2; times++) buckets.pour(key, 0);
    // It is refused, and was here all the same.
    expect(buckets.pour("a", 1).kind).toBe("full");
    buckets.pour("d", 2);
    expect(buckets.size).toBe(3);
    expect(buckets.pour("a", 3).kind).toBe("full");
    expect(buckets.pour("b", 3)).toEqual({ kind: "fits", excess: 0 });
  });

  test("forgets keys whose buckets have drained, as others come", () => {
    const buckets = perSecond(10, 5);
    for (let key = 0; key < 500; key++) buckets.pour(`early ${key}`, 0);
    for (let key = 0; key < 500; key++) buckets.pour(`late ${key}`, 10_000);
    expect(buckets.size).toBeLessThanOrEqual(501);
  });
});
