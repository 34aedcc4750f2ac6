import { OptionError } from "@lb/core";
import { expect, test } from "vitest";
import { parseSetupWorkerOptions, type SetupWorkerOptions } from "./options.ts";

function refusal(options: unknown): OptionError {
  try {
    parseSetupWorkerOptions(options as SetupWorkerOptions);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error("The options were taken.");
}

test("without options: no Redis, and sockets are closed over five seconds", () => {
  expect(parseSetupWorkerOptions({})).toMatchObject({ redis: undefined, drainSpreadMs: 5_000 });
});

test("Redis is a URL or a client, and there are three ways over it", () => {
  const client = { status: "ready", options: {}, duplicate: () => client, on() {}, off() {}, disconnect() {} };
  expect(parseSetupWorkerOptions({ redis: "redis://h" }).redis).toMatchObject({ kind: "pub-sub", prefix: "socket.io" });
  expect(parseSetupWorkerOptions({ redis: client, sharded: true }).redis).toEqual({
    client,
    kind: "sharded",
    prefix: "socket.io",
  });
  expect(parseSetupWorkerOptions({ redis: "rediss://h", streams: true, prefix: "a" }).redis).toMatchObject({
    kind: "streams",
    prefix: "a",
  });
});

test("the drain has a pace of its own, or is left to others", () => {
  expect(parseSetupWorkerOptions({ drain: { spreadMs: 250 } }).drainSpreadMs).toBe(250);
  expect(parseSetupWorkerOptions({ drain: false }).drainSpreadMs).toBeUndefined();
});

test.each([
  [{ redis: "127.0.0.1" }, "redis", "redis://127.0.0.1:6379"],
  [{ redis: {} }, "redis", "a client of ioredis"],
  [{ redis: { isOpen: true, options: {}, duplicate() {}, connect() {} } }, "redis", "the package redis does not do"],
  [{ redis: { isCluster: true, status: "ready", duplicate() {} } }, "redis", "not supported"],
  [{ redis: "redis://h", sharded: true, streams: true }, "sharded", "one of them"],
  [{ streams: true }, "streams", 'the option "redis"'],
  [{ sharded: true }, "sharded", 'the option "redis"'],
  [{ drain: { spreadMs: -1 } }, "drain.spreadMs", "at least 0"],
  [{ drain: true }, "drain", "or false"],
  [{ rebalance: { perSecond: 0 } }, "rebalance.perSecond", "at least 1"],
  [{ rebalance: true }, "rebalance", "or false"],
  [{ prefix: "a b" }, "prefix", "letters"],
  [{ onRedisStatus: 1 }, "onRedisStatus", "a function"],
  [{ redsi: "redis://h" }, "redsi", "known are redis"],
])("%j is refused, with what to do", (options, option, remedy) => {
  const error = refusal(options);
  expect(error.option).toBe(option);
  expect(error.message).toContain(remedy);
});

test("what somebody has put into Object.prototype is no option", () => {
  const polluted = Object.prototype as { foo?: unknown };
  polluted.foo = 1;
  try {
    expect(parseSetupWorkerOptions({ drain: {}, ipc: { recovery: {} } })).toMatchObject({ drainSpreadMs: 5_000 });
  } finally {
    delete polluted.foo;
  }
});

test("a misspelt option shows nothing of what it has", () => {
  expect(refusal({ redsi: "redis://:hush@h" }).message).not.toContain("hush");
  expect(refusal({ redis: "redis:/me:hush@h" }).message).not.toContain("hush");
});

test("a URL that is refused is shown without its password", () => {
  expect(refusal({ redis: "http://user:hush@h" }).message).not.toContain("hush");
});
