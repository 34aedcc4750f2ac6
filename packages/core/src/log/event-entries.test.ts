import { describe, expect, test } from "vitest";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { LbError } from "../model/errors.ts";
import { StartError } from "../model/start-error.ts";
import type { ExitEvent } from "../supervisor/events.ts";
import { ReloadError } from "../supervisor/reload-error.ts";
import { eventEntries, type Said } from "./event-entries.ts";

const worker = { instance: 2, pid: 41 };
const exit = (more: Partial<ExitEvent>): ExitEvent => ({
  kind: "exit",
  ...worker,
  reason: "crashed",
  exitCode: null,
  signal: null,
  ...more,
});
const thrown = Object.assign(new Error("no database"), { stack: "Error: no database\n    at /srv/app.js:3:9" });
const startError = new StartError(2, "LB_APP_THREW", "app.js threw: no database", thrown);

type Case = {
  [Name in keyof typeof eventEntries]: readonly [Name, ClusterEventMap[Name], string | undefined];
}[keyof typeof eventEntries];

const cases: readonly Case[] = [
  [
    "exit",
    exit({ exitCode: 3, restartInMs: 0 }),
    "instance 2 (pid 41) crashed with exit code 3; a new one starts at once",
  ],
  [
    "exit",
    exit({ exitCode: 3, restartInMs: 1_480 }),
    "instance 2 (pid 41) crashed with exit code 3; a new one starts in 1.5 s",
  ],
  [
    "exit",
    exit({ exitCode: 0, restartInMs: 0 }),
    "instance 2 (pid 41) ended by itself with exit code 0; a new one starts at once",
  ],
  ["exit", exit({ signal: "SIGSEGV" }), "instance 2 (pid 41) was ended by SIGSEGV"],
  [
    "exit",
    exit({ reason: "retired", exitCode: 0 }),
    "instance 2 was ended from outside, after a drain; a new one starts",
  ],
  ["exit", exit({ reason: "start-failed", restartInMs: 90 }), "instance 2 could not start; a new one starts in 90 ms"],
  ["exit", exit({ reason: "replaced", exitCode: 0 }), undefined],
  ["start-failed", { kind: "start-failed", ...worker, error: startError }, "app.js threw: no database"],
  [
    "crash-loop",
    { kind: "crash-loop", instance: 2, deaths: 6, retryInMs: 30_000 },
    "instance 2 ended 6 times in a row; next attempt in 30 s",
  ],
  [
    "health",
    {
      instance: 2,
      from: { kind: "healthy", since: 0 },
      to: { kind: "ejected", since: 0, until: 10_000, cause: "consecutive-failures" },
    },
    "instance 2 gets no requests for 10 s: requests to it failed one after the other",
  ],
  [
    "health",
    { instance: 2, from: { kind: "probe-down", since: 0 }, to: { kind: "healthy", since: 0 } },
    "instance 2 gets requests again",
  ],
  [
    "unresponsive",
    { kind: "unresponsive", ...worker, silentMs: 3_004 },
    "instance 2 has been silent for 3 s (blocked, stopped or starved) and gets no new requests",
  ],
  ["responsive", { kind: "responsive", ...worker }, "instance 2 answers again"],
  [
    "memory-exceeded",
    { instance: 2, rssBytes: 900 * 1_048_576 },
    "instance 2 has 900 MB of memory (maxMemoryMb) and is replaced, its successor first",
  ],
  [
    "agent-fault",
    { kind: "agent-fault", ...worker, where: "a relayed request: data", message: "Invalid header.", untold: 2 },
    "lb itself failed in instance 2, at a relayed request: data (and 2 more): Invalid header; the app goes on, please report it",
  ],
  [
    "messages-dropped",
    { instance: 2, dropped: 3 },
    "instance 2 sent 3 messages to lb that are none: another version of lb, or the app itself",
  ],
  [
    "link-broken",
    { instance: 2, error: new LbError("LB_LINK_PROTOCOL", "A frame is too long.") },
    "instance 2 broke the protocol and is replaced: A frame is too long",
  ],
  [
    "connections-refused",
    { refused: 1, limit: 800 },
    "refused 1 connection: 800 are open, which is the most (limits.maxConnections)",
  ],
  [
    "requests-refused",
    { reason: "wait-timeout", refused: 12 },
    "refused 12 requests: no instance could take them in time",
  ],
  [
    "options-applied",
    {
      changes: [
        { option: "routes[1]", from: undefined, to: '{"to":"app"}', by: "in place" },
        { option: "limits.maxHeaders", from: "100", to: "90", by: "in place" },
      ],
    },
    'other options are in force: routes[1] (none) -> {"to":"app"} and limits.maxHeaders 100 -> 90',
  ],
  ["connections-denied", { denied: 3 }, "closed 3 connections of addresses that are kept out (lb deny shows them)"],
  [
    "requests-limited",
    { route: "/api/*", dryRun: false, limited: 12 },
    "limited 12 requests (rateLimit of the route /api/*)",
  ],
  ["requests-limited", { route: undefined, dryRun: true, limited: 1 }, "would have limited 1 request (rateLimit)"],
  [
    "request-quarantined",
    { method: "POST", url: "shop.example/import", deaths: 2, forMs: 60_000 },
    "POST shop.example/import ended 2 instances: quarantined for 60 s",
  ],
  [
    "rate-limit-key-failed",
    { error: new LbError("LB_RATE_LIMIT_KEY", "The rate limit's key function threw."), failed: 2 },
    "2 requests not limited: The rate limit's key function threw",
  ],
  [
    "requests-refused",
    { reason: "queue-full", refused: 2, limit: 4, route: "/report" },
    "refused 2 requests: 4 are in flight, which is the most (maxRequestsInFlight of the route /report)",
  ],
  [
    "requests-refused",
    { reason: "overload", refused: 90, limit: 12, backend: "api" },
    "refused 90 requests: overload, in which 12 at a time are answered in good time (maxRequestsInFlight of backend api)",
  ],
  [
    "requests-refused",
    { reason: "wait-timeout", refused: 2, backend: "api" },
    "refused 2 requests: no endpoint of backend api could take them in time",
  ],
  [
    "spans-dropped",
    { dropped: 12, error: new Error("the receiver answered 400") },
    "12 spans lost (tracing.otlp): the receiver answered 400",
  ],
  [
    "floods-stopped",
    { stopped: 2 },
    "ended 2 connections of HTTP/2 for what was done on them (http2.maxResetsPerSecond, maxControlFramesPerSecond)",
  ],
  [
    "handshakes-refused",
    { refused: 1 },
    "closed 1 connection: too many handshakes are under way (https.maxHandshakes)",
  ],
  ["accept-failed", new Error("accept EMFILE"), "connections cannot be accepted: accept EMFILE"],
  ["reload", { step: "started", done: 0, total: 4 }, "reload: 4 instances to replace"],
  ["reload", { step: "watched", instance: 1, done: 0, total: 4 }, undefined],
  ["reload", { step: "replaced", instance: 1, done: 1, total: 4 }, "reload: instance 1 is replaced (1 of 4)"],
  ["reload", { step: "finished", done: 1, total: 1 }, "reload: done, 1 instance replaced"],
  [
    "autoscale",
    { from: 2, to: 3, load: 0.9, target: { metric: "cpu", value: 0.6 } },
    "scaled from 2 to 3 instances: cpu is 0.90, to be 0.6",
  ],
];

const entryOf = <Name extends keyof typeof eventEntries>(name: Name, argument: ClusterEventMap[Name]): Said =>
  (eventEntries[name] as (argument: ClusterEventMap[Name]) => Said)(argument);

describe("events in words", () => {
  test.each(cases)("%s: %j", (name, argument, message) => {
    expect(entryOf(name, argument as never)?.message).toBe(message);
  });

  test("a reload that was refused shows what the new program threw", () => {
    const error = new ReloadError(
      { code: "LB_RELOAD_START", step: "start", what: "app.js threw: no database", cause: startError },
      1,
    );
    expect(entryOf("reload", { step: "rolled-back", instance: 1, done: 0, total: 4, error })).toMatchObject({
      level: "error",
      message: expect.stringContaining("app.js threw: no database. Nothing was replaced"),
      stack: ["Error: no database", "    at /srv/app.js:3:9"],
    });
  });

  test("an instance that we killed ourselves was not killed by the kernel", () => {
    const said = eventEntries.exit(exit({ signal: "SIGKILL", restartInMs: 0 }), "it was silent for too long");
    expect(said?.message).toBe(
      "instance 2 (pid 41) was killed, since it was silent for too long; a new one starts at once",
    );
  });

  test("what others wrote cannot act on a terminal, and is not endless", () => {
    const error = new StartError(2, "LB_APP_THREW", `threw: \u001b[2J\u009b1A\n${"x".repeat(9_000)}`, thrown);
    const { message } = eventEntries["start-failed"]({ kind: "start-failed", ...worker, error })!;
    expect(message).toMatch(/^threw: \\x1b\[2J\\x9b1A\\nx+…$/);
    expect(message.length).toBeLessThan(2_100);
  });
});
