import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { ClusterSight } from "../control/cluster-sight.ts";
import { History, type Span } from "../facts/history.ts";
import { noLatencies } from "../facts/latency-histogram.ts";
import { EntryMemory } from "../log/entry-memory.ts";
import { type Sighting, watch } from "./cluster-watch.ts";

function watched() {
  const clock = new ManualClock();
  const history = new History();
  const memory = new EntryMemory();
  const sight = {
    history,
    status: () => ({ name: "wanted" }),
    counts: () => ({ listeners: [], routes: {}, slots: {}, backends: {} }),
  } as unknown as ClusterSight;
  const leaves = new AbortController();
  const told: Sighting[] = [];
  const tell = (event: unknown) => void told.push(event as Sighting);
  const done = () => watch({ sight, memory, clock, name: "shop-2" }, {}, { tell, signal: leaves.signal });
  return { clock, history, memory, leaves, told, done };
}

function span(at: number): Span {
  const nothing = { requests: 0, failures: 0, clientErrors: 0, bytesIn: 0, bytesOut: 0, latency: noLatencies };
  return { at, ms: 1_000, ...nothing, inFlight: 0, waiting: 0, connections: 0, cpu: 0, rssBytes: 0, loopLagMs: 0 };
}

test("tells what was first, and then what is new, each once; also when the machine's time goes back", async () => {
  const { clock, history, memory, leaves, told, done } = watched();
  for (let at = 1; at <= 400; at++) history.add(span(at));
  memory.add({ event: "exit", level: "warn", message: "one" }, 1);
  const over = done();
  expect([told[0]?.status.name, told[0]?.spans.length, told[0]?.entries.length, told[0]?.recent]).toEqual([
    "shop-2",
    300,
    1,
    null,
  ]);
  history.add(span(-5));
  history.add(span(-4));
  clock.advance(2_000);
  for (const message of ["two", "three"]) memory.add({ event: "exit", level: "warn", message }, 1);
  clock.advance(200);
  expect(told.slice(1).map(({ spans, entries }) => [spans.map(({ at }) => at), entries.map(({ id }) => id)])).toEqual([
    [[-5, -4], []],
    [[], []],
    [[], [2, 3]],
  ]);
  memory.add({ event: "exit", level: "warn", message: "four" }, 1);
  leaves.abort();
  await over;
  clock.advance(5_000);
  expect([told.length, clock.pending]).toEqual([4, 0]);
});

test("a cluster that begins has no spans yet", async () => {
  const { clock, history, leaves, told, done } = watched();
  const over = done();
  history.add(span(1));
  clock.advance(1_000);
  expect(told.map(({ spans }) => spans.length)).toEqual([0, 1]);
  leaves.abort();
  await over;
});
