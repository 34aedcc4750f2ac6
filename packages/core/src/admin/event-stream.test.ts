import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { EntryMemory } from "../log/entry-memory.ts";
import { EventStream } from "./event-stream.ts";

/** A response whose client reads nothing unless it is asked to. */
function watcher() {
  const body = new PassThrough({ highWaterMark: 16 });
  const response = Object.assign(body, { writeHead: () => body }) as unknown as ServerResponse;
  return { body, response, text: () => String(body.read() ?? "") };
}

const request = (headers: Record<string, string> = {}) => ({ method: "GET", headers }) as unknown as IncomingMessage;

function streamOf(entries: number) {
  const clock = new ManualClock();
  const memory = new EntryMemory();
  const stream = new EventStream(memory, clock);
  const add = (message: string) => memory.add({ event: "exit", level: "warn", message }, 7);
  for (let at = 1; at <= entries; at++) add(`entry ${at}`);
  return { clock, stream, add };
}

test("the last 500 are remembered", () => {
  const { stream } = streamOf(600);
  const { response, text } = watcher();
  stream.watch(request(), response);
  const ids = [...text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect([ids[0], ids.at(-1), ids.length]).toEqual([101, 600, 500]);
});

test.each([
  ["598", ["599", "600"]],
  ["600", []],
])("who has seen %s gets what came after it", (last, expected) => {
  const { stream } = streamOf(600);
  const { response, text } = watcher();
  stream.watch(request({ "last-event-id": last }), response);
  expect([...text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(expected);
});

test("FAULTS 68: who does not read is cut when a quarter of a megabyte waits, and others are told on", () => {
  const { stream, add } = streamOf(0);
  const [slow, other] = [watcher(), watcher()];
  stream.watch(request(), slow.response);
  stream.watch(request(), other.response);
  for (let times = 0; times < 100 && !slow.body.destroyed; times++) {
    add("x".repeat(10_000));
    other.text();
  }
  expect([slow.body.destroyed, other.body.destroyed]).toEqual([true, false]);
});

test("32 watch at most, and one that leaves makes room", async () => {
  const { stream } = streamOf(0);
  const all = Array.from({ length: 32 }, watcher);
  expect(all.every(({ response }) => stream.watch(request(), response))).toBe(true);
  expect(stream.watch(request(), watcher().response)).toBe(false);
  await new Promise((closed) => all[0]!.body.once("close", closed).destroy());
  expect(stream.watch(request(), watcher().response)).toBe(true);
});

test("silence is broken every five seconds", () => {
  const { clock, stream } = streamOf(0);
  const { response, text } = watcher();
  stream.watch(request(), response);
  text();
  clock.advance(5_000);
  expect(text()).toBe(": \n\n");
});
