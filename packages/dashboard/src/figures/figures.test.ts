import { describe, expect, test } from "vitest";
import { withEntries } from "../api/event-feed.ts";
import { joined } from "../api/history-feed.ts";
import { recent, type Sample } from "../api/status-feed.ts";
import type { ClusterStatus, HistorySpan, InstanceStatus, TimedEntry } from "../api/types.ts";
import { instanceRows } from "./instance-rows.ts";
import { ratesOver } from "./rates.ts";
import { reloadStory } from "./reload-story.ts";
import { columns } from "./series.ts";
import { sorted } from "./sort.ts";
import { windowOf } from "./window.ts";

const instance = (id: number, more: Partial<InstanceStatus> = {}) =>
  ({
    id,
    state: "ready",
    requests: 0,
    failures: 0,
    lastExit: null,
    retryInMs: null,
    vitals: null,
    ...more,
  }) as InstanceStatus;

const sample = (at: number, status: object = {}): Sample => ({
  at,
  status: {
    pid: 1,
    instances: [],
    backends: [],
    reload: null,
    traffic: { instances: {} },
    ...status,
  } as unknown as ClusterStatus,
});

describe("rates", () => {
  const counted = (at: number, requests: number, failures = 0) =>
    sample(at, { instances: [instance(1, { requests, failures })] });
  const first = ({ instances }: ClusterStatus) => instances[0];

  test("are over the time between two statuses", () => {
    expect(ratesOver([counted(1_000, 100, 1), counted(2_000, 0), counted(6_000, 350, 6)], first)).toEqual({
      requestsPerSecond: 50,
      failureShare: 0.02,
    });
    expect(ratesOver([counted(0, 5), counted(1_000, 5)], first)).toEqual({
      requestsPerSecond: 0,
      failureShare: undefined,
    });
  });

  test("are not known of one status, nor of what was not there", () => {
    expect(ratesOver([counted(0, 5)], first)).toBeUndefined();
    expect(ratesOver([sample(0), counted(1_000, 5)], first)).toBeUndefined();
  });

  test("compare statuses of the same primary, of the last seconds, or the last one at least", () => {
    const [old, near, other] = [sample(0), sample(7_000), sample(9_000, { pid: 2 })];
    expect(recent([old, near, other], sample(10_000))).toEqual([near]);
    expect(recent([old], sample(60_000))).toEqual([old]);
    expect(recent([old, near], other)).toEqual([]);
  });
});

test("instances of programs stand beside the app's, and say why they are not ready", () => {
  const lastExit = { reason: "crashed", exitCode: 1, signal: null, agoMs: 3_000 };
  const crashed = instance(2, { state: "crash-loop", lastExit, retryInMs: 8_000 });
  const at = (requests: number) => ({
    instances: [instance(1, { requests }), crashed],
    backends: [{ name: "py", instances: [instance(1)], reload: null }],
    traffic: { instances: { 1: { totalMs: { p95: 12 }, connections: 3, tunnels: 1 } } },
  });
  const rows = instanceRows([sample(0, at(0)), sample(2_000, at(40))]);
  expect(rows.map(({ key, requestsPerSecond, p95 }) => [key, requestsPerSecond, p95])).toEqual([
    ["1", 20, 12],
    ["2", 0, undefined],
    ["py 1", 0, undefined],
  ]);
  expect(rows[1]!.note?.replaceAll("\u00a0", " ")).toBe("ended 3 s ago (crashed), again in 8 s");
});

test("sorting keeps what is alike in its order, and what is not known last", () => {
  const rows = [{ n: 1 }, { n: undefined }, { n: 3 }, { n: 2 }];
  const by = ({ n }: { n: number | undefined }) => n;
  expect(sorted(rows, by, false).map(by)).toEqual([1, 2, 3, undefined]);
  expect(sorted(rows, by, true).map(by)).toEqual([3, 2, 1, undefined]);
});

test("of many rows those are drawn that are seen, and some beside them", () => {
  expect(windowOf(0, 400, 40, 1_000)).toEqual({ from: 0, to: 20, before: 0, after: 39_200 });
  expect(windowOf(20_000, 400, 40, 1_000)).toEqual({ from: 490, to: 520, before: 19_600, after: 19_200 });
  expect(windowOf(39_600, 400, 40, 1_000)).toMatchObject({ to: 1_000, after: 0 });
  // Scrolled beyond the end of a list that has become shorter.
  expect(windowOf(39_600, 400, 40, 5)).toMatchObject({ from: 4, to: 5, after: 0 });
});

describe("history", () => {
  const span = (at: number, requests = 1) => ({ at, ms: 1_000, requests }) as HistorySpan;
  const requests = { label: "requests", colour: "", of: ({ requests }: HistorySpan) => requests };

  test("grows at its end, and forgets at its beginning", () => {
    const known = [span(1_000), span(2_000), span(3_000)];
    expect(joined(known, [span(3_000, 9), span(4_000)], 2_500).map(({ at, requests }) => [at, requests])).toEqual([
      [2_000, 1],
      [3_000, 9],
      [4_000, 1],
    ]);
    expect(joined(known, [], 2_500)).toBe(known);
  });

  test("has a gap where nothing was told for a while", () => {
    expect(columns([span(1_000), span(2_000), span(9_000)], [requests], 1_000)).toEqual([
      [1, 2, 3, 9],
      [1, 1, null, 1],
    ]);
  });
});

test("events that are told again are shown once, and those of a new primary beside them", () => {
  const entry = (id: number, at: number) => ({ id, at }) as TimedEntry;
  const known = [entry(1, 100), entry(2, 200)];
  expect(withEntries(known, [entry(1, 100), entry(2, 200), entry(1, 300)])).toEqual([...known, entry(1, 300)]);
});

describe("a reload's story", () => {
  const none = { requests: 0, failures: 0, clientErrors: 0, meanMs: null };
  const reload = { done: 1, total: 2, replacing: [], before: none, after: none };
  const said = (level: string, message: string, fields: object, instance?: number) =>
    ({ event: "reload", level, message, fields, instance }) as unknown as TimedEntry;
  const running = reloadStory(undefined, sample(0, { reload }).status, [], 10);
  const idle = sample(0).status;

  test("goes on until the event that ends it has come, and is told for a while after", () => {
    const steps = [said("info", "started", { total: 2 }), said("info", "replaced", { done: 1, total: 2 }, 1)];
    const still = reloadStory(running, idle, steps, 20);
    expect(still?.outcome.kind).toBe("running");
    const done = reloadStory(still, idle, [...steps, said("info", "done", { done: 2 })], 30);
    expect(done).toMatchObject({ reload, since: 10, outcome: { kind: "finished", at: 30 } });
    expect(reloadStory(done, idle, [], 30_000)).toBe(done);
    expect(reloadStory(done, idle, [], 90_031)).toBeUndefined();
  });

  test("says why it was rolled back", () => {
    const failed = reloadStory(running, idle, [said("error", "it was sick", { code: "LB_RELOAD" })], 20);
    expect(failed?.outcome).toEqual({ kind: "rolled-back", at: 20, why: "it was sick" });
  });

  test("is that of a backend's program where that is reloaded", () => {
    const status = sample(0, { backends: [{ name: "py", instances: [], reload }] }).status;
    expect(reloadStory(undefined, status, [], 0)).toMatchObject({ backend: "py", reload });
  });
});
