// Requests that something is known against, over memory and by a clock of the test's (FAULTS 76).
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { defaultFrontSettings } from "../../../test/support/default-settings.ts";
import {
  MemoryClient,
  type MemoryProxyOptions,
  memoryContext,
  memoryFacts,
} from "../../../test/support/memory-proxy.ts";
import type { QuarantineSettings } from "../../options/quarantine-options.ts";
import { ClientConnection } from "./client-connection.ts";
import { fingerprint } from "./fingerprint.ts";
import { InFlightLimit } from "./in-flight-limit.ts";
import { Quarantine } from "./quarantine.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const head = (length: number) => `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const died = { reason: "reset", sent: true, endpointDown: true } as const;
const poison = { head: "GET a/p", body: "" };
const inCompany = { how: "died", alone: false, tookMs: 10 } as const;
const alone = { how: "died", alone: true, tookMs: 10 } as const;

interface StartOptions extends MemoryProxyOptions {
  readonly action?: QuarantineSettings["action"];
  readonly maxInFlight?: number;
}

function start({ action = "refuse", maxInFlight, ...options }: StartOptions = {}) {
  let quarantine: Quarantine | undefined;
  const queue = { maxWaiting: 100, maxWaitMs: 60_000 };
  const around = memoryContext({
    quarantine: (clock) => {
      quarantine = new Quarantine({ settings: { action, termMs: 60_000 }, clock });
      return quarantine;
    },
    ...(maxInFlight !== undefined && {
      inFlight: (clock) => new InFlightLimit({ maxInFlight, queue, clock, refused: () => {} }),
    }),
    ...options,
  });
  const open = () => {
    const client = new MemoryClient();
    new ClientConnection(client as unknown as Socket, memoryFacts, around.context);
    return client;
  };
  const status = (client: MemoryClient) => /^HTTP\/1\.1 (\d+)/.exec(client.written)?.[1];
  const known = around.context.way.inFlight;
  return { ...around, quarantine: quarantine!, open, status, limited: () => known?.inFlight };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("who waits for others of its way is refused when one like it is found out meanwhile, and its place is given back", () => {
  const { open, streams, status, quarantine, limited } = start({ maxInFlight: 1 });
  open().send(get("/other"));
  const waiting = [open(), open(), open()].map((client) => client.send(get("/p")));
  const innocent = open().send(get("/q"));
  quarantine.blame(poison, inCompany);
  quarantine.blame(poison, alone);
  streams[0]!.answers(ok);
  expect(waiting.map(status)).toEqual(["503", "503", "503"]);
  expect([streams.length, limited()]).toEqual([2, 1]);
  streams[1]!.answers(ok);
  expect([status(innocent), limited()]).toEqual(["200", 0]);
});

test("isolated, those like one that was found out have their instances for themselves, too", async () => {
  const { open, streams, quarantine, balancer } = start({ action: "isolate" });
  quarantine.blame(poison, inCompany);
  for (const client of [open(), open(), open()]) client.send(get("/p"));
  await turn();
  expect(streams).toHaveLength(1);
  streams[0]!.fails(died);
  // The verdict is what the others have waited for: they go on one by one.
  expect(streams).toHaveLength(1);
  await turn();
  await turn();
  expect(streams).toHaveLength(2);
  expect(
    balancer
      .status()
      .endpoints.map(({ inFlight }) => inFlight)
      .sort(),
  ).toEqual([0, 1]);
});

test("a body that is waited for has the time that any body has, whatever its connection did before", () => {
  const { open, streams, clock, status, quarantine } = start({
    settings: { limits: { ...defaultFrontSettings.limits, minBodyBytesPerSecond: 1 } },
  });
  const client = open();
  client.send(`${head(5)}other`);
  streams[0]!.answers(ok);
  client.take();
  clock.advance(4_000);
  client.send(get("/q"));
  streams[1]!.answers(ok);
  client.take();
  quarantine.blame(fingerprint({ method: "POST", host: "a", target: "/p", framing: { kind: "none" } }, []), inCompany);
  clock.advance(1_000);
  client.send(head(50));
  clock.advance(9_000);
  expect(status(client)).toBeUndefined();
  for (let bytes = 0; bytes < 50; bytes += 10) {
    client.send("0123456789");
    clock.advance(9_000);
  }
  expect([status(client), streams.length]).toEqual([undefined, 3]);
  streams[2]!.answers(ok);
  expect(status(client)).toBe("200");
});

test("one of which nothing comes is 408, and has left nothing behind", () => {
  const { open, streams, clock, status, quarantine, limited, inFlight } = start({ maxInFlight: 1 });
  quarantine.blame({ head: "POST a/p", body: "" }, inCompany);
  const client = open().send(head(50));
  clock.advance(32_000);
  expect([status(client), streams.length, limited(), inFlight()]).toEqual(["408", 0, 0, 0]);
});

test("one whose client leaves before its body is there has left nothing behind", () => {
  const { open, streams, quarantine, limited, inFlight } = start({ maxInFlight: 1 });
  quarantine.blame({ head: "POST a/p", body: "" }, inCompany);
  const client = open().send(`${head(50)}half`);
  client.destroy();
  expect([streams.length, limited(), inFlight()]).toEqual([0, 0, 0]);
  open().send(get("/q"));
  expect(streams).toHaveLength(1);
});

test("twenty that are pipelined, each with a body that is waited for, are answered in order", () => {
  const { open, streams, quarantine, limited, inFlight } = start({ maxInFlight: 1 });
  quarantine.blame({ head: "POST a/p", body: "" }, inCompany);
  const chunked = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const client = open().send(`${head(3)}abc${chunked}`.repeat(10));
  for (let at = 0; at < 20; at += 1) {
    expect(streams).toHaveLength(at + 1);
    streams[at]!.answers(ok);
  }
  expect(client.written.match(/HTTP\/1\.1 200/g)).toHaveLength(20);
  expect([limited(), inFlight(), client.ending]).toEqual([0, 0, "open"]);
});
