import { expect, test } from "vitest";
import { defaultFrontSettings } from "../../../test/support/default-settings.ts";
import { memoryProxy } from "../../../test/support/memory-proxy.ts";
import { BodyPace } from "./body-pace.ts";

test("in every span as many bytes as the rate has it, whatever came before", () => {
  const pace = new BodyPace(100, 10_000);
  expect(pace.came(0, 0)).toBe(10_000);
  expect(pace.came(999, 4_000)).toBe(6_000);
  expect(pace.came(1, 9_000)).toBe(10_000);
  expect(pace.came(50_000, 9_500)).toBe(10_000);
  expect(pace.came(1, 19_000)).toBe(500);
  expect(pace.came(1, 19_600)).toBe(0);
});

test("what nobody reads is not counted against its client", () => {
  const pace = new BodyPace(100, 10_000);
  pace.came(0, 0);
  pace.hold();
  expect(pace.came(10, 60_000)).toBe(10_000);
});

const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";

function start(minBodyBytesPerSecond: number) {
  const limits = { ...defaultFrontSettings.limits, minBodyBytesPerSecond };
  const proxy = memoryProxy({ settings: { limits } });
  const dribble = (seconds: number, bytes: number) => {
    for (let second = 0; second < seconds; second++) {
      if (proxy.client.ending === "open") proxy.client.send("x".repeat(bytes));
      proxy.clock.advance(1_000);
    }
  };
  return { ...proxy, dribble };
}

test("a slow POST is 408 when its span is over, a fast one is not, and none is where there is no rate", () => {
  const slow = start(500);
  slow.client.send(post);
  slow.dribble(9, 10);
  expect(slow.client.written).toBe("");
  slow.dribble(3, 10);
  expect(slow.client.written).toMatch(/^HTTP\/1\.1 408 /);
  expect(slow.streams[0]!.state).toBe("destroyed");
  const fast = start(500);
  fast.client.send(post);
  fast.dribble(60, 600);
  expect(fast.client.written).toBe("");
  const any = start(0);
  any.client.send(post);
  any.dribble(60, 1);
  expect(any.client.written).toBe("");
});

test("an endpoint that does not take the body is not its client's fault", () => {
  const { client, streams, dribble, clock } = start(500);
  client.send(post);
  dribble(5, 600);
  streams[0]!.full = true;
  client.send("x".repeat(600));
  expect(client.paused).toBe(true);
  clock.advance(20_000);
  expect(client.written).toBe("");
  streams[0]!.takesMore();
  client.send("x");
  clock.advance(9_000);
  expect(client.written).toBe("");
  clock.advance(2_000);
  expect(client.written).toMatch(/^HTTP\/1\.1 408 /);
});
