/**
 * What one request costs a strategy: a pick, and word of the load when the lease begins and when an earlier one ends.
 * A sample is 1,000 requests, so its time in microseconds is nanoseconds per request. Vitest's module runner would add
 * the cost of a getter to each call between modules, so leave it out:
 * `vitest bench --run --project unit --experimental.viteModuleRunner=false packages/core/src/strategies`.
 */
import { describe, test } from "vitest";
import { equalCandidates, type FakeCandidate } from "../../test/support/fake-candidate.ts";
import { clients } from "../../test/support/request-keys.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { resolveStrategy, type StrategyName, strategies } from "./index.ts";

const REQUESTS = 1_000;
const OPEN_LEASES = 256;
const requests = clients(REQUESTS);
const names = Object.keys(strategies) as StrategyName[];

/** Requests against `size` endpoints, with a constant number of leases open. */
function load(name: StrategyName, size: number): () => void {
  const candidates = equalCandidates(size);
  const picker = resolveStrategy(name, { random: seededRandom(1) }).picker(candidates);
  const open: FakeCandidate[] = Array.from({ length: OPEN_LEASES }, (_, at) => candidates[at % size]!);
  for (const candidate of open) candidate.inFlight += 1;
  for (const candidate of candidates) picker.loadChanged?.(candidate);
  let oldest = 0;
  return () => {
    for (let at = 0; at < REQUESTS; at += 1) {
      const chosen = picker.pick(requests[at]!) as FakeCandidate;
      chosen.inFlight += 1;
      picker.loadChanged?.(chosen);
      const ended = open[oldest]!;
      ended.inFlight -= 1;
      picker.loadChanged?.(ended);
      open[oldest] = chosen;
      oldest = (oldest + 1) % OPEN_LEASES;
    }
  };
}

describe.each([4, 100, 10_000])("1,000 requests, %d endpoints", (size) => {
  test("all strategies", async ({ bench }) => {
    await bench.compare(...names.map((name) => bench(name, load(name, size))), {
      time: 150,
      warmupTime: 50,
      iterations: 10,
    });
  });
});

test("a new picker for 10,000 endpoints", async ({ bench }) => {
  const candidates = equalCandidates(10_000);
  const make = (name: StrategyName) => () => {
    resolveStrategy(name, { random: seededRandom(1) }).picker(candidates);
  };
  await bench.compare(...names.map((name) => bench(name, make(name))), { time: 150, warmupTime: 20, iterations: 3 });
});
