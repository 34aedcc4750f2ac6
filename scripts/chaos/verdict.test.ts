import { describe, expect, it } from "vitest";
import type { Entry } from "./entry.ts";
import type { Death, Drain } from "./fates.ts";
import { type Evidence, violationIn } from "./verdict.ts";

const entry = (fields: Partial<Entry>): Entry => ({
  id: "r1",
  kind: "post",
  from: 1_000,
  to: 1_100,
  outcome: { kind: "answered", status: 502 },
  ...fields,
});

interface Known {
  readonly mode?: "proxy" | "handoff";
  readonly unread?: boolean;
  readonly gateway?: boolean;
  readonly begun?: readonly number[];
  readonly deaths?: Readonly<Record<number, Death>>;
  readonly drains?: Readonly<Record<number, Drain>>;
  readonly lastSent?: Readonly<Record<number, number>>;
  readonly idle?: Evidence["idle"];
}

const byPid = <Value>(of: Readonly<Record<number, Value>> = {}) =>
  new Map(Object.entries(of).map(([pid, value]) => [Number(pid), value]));

const evidence = ({
  mode = "proxy",
  unread = false,
  gateway = false,
  begun,
  deaths,
  drains,
  lastSent,
  idle = [],
}: Known): Evidence => ({
  mode,
  unread,
  gateway,
  begun: new Map(begun === undefined ? [] : [["r1", begun]]),
  deaths: byPid(deaths),
  drains: byPid(drains),
  lastSent: byPid(lastSent),
  idle,
  lateMs: () => 0,
});

const fine = (fields: Partial<Entry>, known: Known) =>
  expect(violationIn(entry(fields), evidence(known))).toBeUndefined();
const wrong = (fields: Partial<Entry>, known: Known) =>
  expect(violationIn(entry(fields), evidence(known))).toBeTypeOf("string");

const now: Death = { from: 1_090, to: 1_110 };
const cut = { kind: "cut", detail: "ECONNRESET" } as const;

describe("a request that cannot be repeated", () => {
  it("may fail with the instance that had begun it, and with no other", () => {
    fine({}, { begun: [7], deaths: { 7: now } });
    wrong({}, { begun: [7], deaths: { 8: now } });
    wrong({}, { begun: [7] });
  });

  it("may fail unbegun with an instance that can have had it unread", () => {
    fine({}, { deaths: { 7: now } });
    wrong({}, { deaths: { 7: { from: 500, to: 520 } } });
    wrong({}, { deaths: { 7: { from: 1_300, to: 1_320 } } });
  });

  it("was read by an instance that has begun what was sent later", () => {
    wrong({ from: 100 }, { deaths: { 7: now }, lastSent: { 7: 1_000 } });
    fine({ from: 100 }, { deaths: { 7: now }, lastSent: { 7: 90 } });
  });

  it("is begun once, and fails with 502", () => {
    wrong({ outcome: { kind: "answered", status: 200 } }, { begun: [7, 8] });
    wrong({ outcome: { kind: "answered", status: 200 } }, {});
    wrong({ outcome: { kind: "answered", status: 503 } }, { begun: [7], deaths: { 7: now } });
    wrong({ outcome: cut }, { begun: [7], deaths: { 7: now } });
  });
});

describe("one that can be repeated", () => {
  it("fails with the second instance only, in proxy mode", () => {
    wrong({ kind: "get" }, { begun: [7], deaths: { 7: now } });
    fine({ kind: "get" }, { begun: [7, 8], deaths: { 7: { from: 1_010, to: 1_020 }, 8: now } });
    fine({ kind: "get" }, { begun: [7], deaths: { 7: { from: 1_010, to: 1_020 }, 8: now } });
  });

  it("may have been sent to one that was dead and not known to be", () => {
    const knownAt = (to: number): Death => ({ from: 800, to });
    fine({ kind: "get" }, { begun: [8], deaths: { 7: knownAt(1_010), 8: now } });
    wrong({ kind: "get" }, { begun: [8], deaths: { 7: knownAt(900), 8: now } });
  });

  it("may have left one that was silent for long", () => {
    const silent = { kind: "idle", pid: 7, at: 200, until: 1_050 } as const;
    const handshake = { kind: "websocket session", outcome: cut, from: 150 } as const;
    fine(handshake, { begun: [7], deaths: { 8: now }, idle: [silent] });
    wrong(handshake, { begun: [7], deaths: { 8: now } });
    wrong(handshake, { begun: [7], idle: [silent] });
    fine({ kind: "get", from: 150 }, { begun: [7, 8], deaths: { 8: now }, idle: [silent] });
    wrong({ kind: "get", from: 150 }, { begun: [7, 8], deaths: { 8: now }, idle: [{ ...silent, until: 400 }] });
    wrong({ kind: "post", from: 150 }, { begun: [7], deaths: { 8: now }, idle: [silent] });
  });

  it("fails with its connection in hand-off mode", () => {
    const mode = "handoff";
    fine({ kind: "get", outcome: cut }, { mode, begun: [7], deaths: { 7: now } });
    fine({ kind: "get", outcome: cut, keptBy: 7 }, { mode, deaths: { 7: { from: 1_001, to: 1_005 } } });
    wrong({ kind: "get", outcome: cut, keptBy: 7 }, { mode });
    wrong({ kind: "get", outcome: { kind: "answered", status: 503 } }, { mode, begun: [7], deaths: { 7: now } });
  });
});

describe("what lasts", () => {
  const drain = { at: 900, graceMs: 4_000, lateMs: 0 };

  it("ends with its instance, or with the grace of its drain", () => {
    const closed = { kind: "closed", code: 1012 } as const;
    const socket = { kind: "websocket", answeredBy: 7 } as const;
    fine({ ...socket, outcome: cut }, { begun: [7], deaths: { 7: now } });
    wrong({ ...socket, outcome: cut }, { begun: [7], drains: { 7: drain }, deaths: { 8: now } });
    wrong({ ...socket, outcome: closed }, { begun: [7], drains: { 7: drain } });
    fine({ ...socket, outcome: closed, to: 4_950 }, { begun: [7], drains: { 7: drain } });
    wrong({ ...socket, outcome: { kind: "closed", code: 1000 }, to: 4_950 }, { begun: [7], drains: { 7: drain } });
    fine({ ...socket, outcome: closed, to: 4_050 }, { begun: [7], drains: { 7: { ...drain, lateMs: 900 } } });
    wrong({ ...socket, outcome: closed, to: 3_050 }, { begun: [7], drains: { 7: { ...drain, lateMs: 900 } } });
    fine({ kind: "events", answeredBy: 7, outcome: cut, to: 4_950 }, { begun: [7], drains: { 7: drain } });
    wrong({ kind: "stream", answeredBy: 7, outcome: cut, to: 4_950 }, { begun: [7], drains: { 7: drain } });
  });

  it("ends with the grace of a drain in which its instance lay idle", () => {
    const cutAt = (to: number) => ({ kind: "stream", answeredBy: 7, outcome: cut, to }) as const;
    const idle = [{ kind: "idle", pid: 7, at: 1_500, until: 4_000 } as const];
    fine(cutAt(4_950), { begun: [7], drains: { 7: drain }, idle });
    wrong(cutAt(4_500), { begun: [7], drains: { 7: drain }, idle });
    wrong(cutAt(4_950), { begun: [7], drains: { 7: drain }, idle: [{ ...idle[0]!, until: 3_000 }] });
    wrong(cutAt(4_950), { begun: [7], drains: { 7: drain }, idle: [{ ...idle[0]!, pid: 8 }] });
    const unanswered = { outcome: cut, to: 4_950 };
    fine(unanswered, { mode: "handoff", begun: [7], drains: { 7: drain }, idle });
    wrong(unanswered, { mode: "handoff", begun: [7], drains: { 7: drain } });
  });

  it("is a session that is closed at a pace when its instance drains", () => {
    fine({ kind: "polling session", outcome: cut }, { begun: [7], drains: { 7: drain } });
    wrong({ kind: "polling session", outcome: cut }, { begun: [7] });
    wrong({ kind: "polling session", outcome: cut }, { begun: [7], drains: { 8: drain }, deaths: { 9: now } });
  });
});

it("behind nghttpx a response may be cut before its head came, by the death of its instance and by nothing else", () => {
  fine({ outcome: cut }, { gateway: true, begun: [7], deaths: { 7: now } });
  wrong({ outcome: cut }, { begun: [7], deaths: { 7: now } });
  wrong({ outcome: cut }, { gateway: true, begun: [7] });
  wrong({ outcome: cut }, { gateway: true, begun: [7], deaths: { 8: now } });
});

describe("with TLS in hand-off mode", () => {
  const cut = { kind: "cut", detail: "ECONNRESET" } as const;
  const death: Death = { from: 1_090, to: 1_095, ordered: false };

  it("a poll is cut with the instance that relays it, and nothing else is excused by that", () => {
    const known = { mode: "handoff", begun: [1], deaths: { 2: death } } as const;
    fine({ kind: "polling session", outcome: cut }, { ...known, unread: true });
    wrong({ kind: "polling session", outcome: cut }, known);
    wrong({ kind: "websocket session", outcome: cut }, { ...known, unread: true });
    wrong({ kind: "polling session", outcome: cut }, { mode: "handoff", begun: [1], unread: true });
  });

  it("a request may have waited for its handshake with whoever died, and those of others been sooner", () => {
    const known = { mode: "handoff", deaths: { 7: death }, lastSent: { 7: 1_080 } } as const;
    fine({ kind: "get", outcome: cut, from: 100 }, { ...known, unread: true });
    wrong({ kind: "get", outcome: cut, from: 100 }, known);
  });

  it("a kept connection of an instance that drains may close as it is used", () => {
    const known = { mode: "handoff", drains: { 7: { at: 500, graceMs: 4_000, lateMs: 0 } } } as const;
    fine({ kind: "get", outcome: cut, keptBy: 7 }, { ...known, unread: true });
    wrong({ kind: "get", outcome: cut, keptBy: 7 }, known);
    wrong({ kind: "get", outcome: cut, keptBy: 8 }, { ...known, unread: true });
  });
});
