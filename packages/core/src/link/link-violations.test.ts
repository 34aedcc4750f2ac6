import { describe, expect, it } from "vitest";
import { type MemoryEnd, memoryEnd } from "../../test/support/memory-link.ts";
import type { Hello, StreamClient } from "./frame.ts";
import { FrameBatch } from "./frame-batch.ts";

const client: StreamClient = { address: "192.0.2.7", port: 4_711, encrypted: true };
const hello = (windowBytes: number, maxStreams = 1_000): Hello => ({ windowBytes, maxStreams });

describe("a peer that breaks the protocol", () => {
  function greeted(side: "front" | "worker"): MemoryEnd {
    const end = memoryEnd(side, hello(100, 10));
    feed(end, (batch) => batch.hello(hello(100, 10)));
    return end;
  }

  function feed(end: MemoryEnd, write: (batch: FrameBatch) => void): void {
    const batch = new FrameBatch();
    write(batch);
    end.session.feed(Buffer.concat(batch.take()));
  }

  it.each<[string, "front" | "worker", (batch: FrameBatch) => void]>([
    ["DATA on a stream that is not open", "worker", (b) => b.text(3, "x", "latin1")],
    ["DATA on stream 0", "worker", (b) => b.bytesOf(0, Buffer.alloc(5_000), 0, 5_000)],
    ["WINDOW on a stream that is not open", "front", (b) => b.window(1, 1)],
    ["CLOSE on a stream that is not open", "worker", (b) => b.close(1, 0)],
    ["FIN on a stream that is not open", "front", (b) => b.fin(9, 0)],
    ["RESPONSE_END on a stream that is not open", "front", (b) => b.responseEnd(1)],
    ["a second greeting", "front", (b) => b.hello(hello(100))],
    ["OPEN from the worker", "front", (b) => b.open(1, client)],
    ["GOAWAY from the front", "worker", (b) => b.goaway()],
    ["a number out of turn", "worker", (b) => b.open(2, client)],
    [
      "a number in use",
      "worker",
      (b) => {
        b.open(1, client);
        b.open(1, client);
      },
    ],
    [
      "a number above the limit",
      "worker",
      (b) => {
        for (let id = 1; id <= 11; id++) b.open(id, client);
      },
    ],
    [
      "more DATA than the window",
      "worker",
      (b) => {
        b.open(1, client);
        b.text(1, "x".repeat(101), "latin1");
      },
    ],
    [
      "DATA after FIN",
      "worker",
      (b) => {
        b.open(1, client);
        b.fin(1, 0);
        b.text(1, "x", "latin1");
      },
    ],
    [
      "two FINs",
      "worker",
      (b) => {
        b.open(1, client);
        b.fin(1, 0);
        b.fin(1, 0);
      },
    ],
    [
      "a frame after CLOSE",
      "worker",
      (b) => {
        b.open(1, client);
        b.close(1, 0);
        b.fin(1, 0);
      },
    ],
    [
      "credit above all bounds",
      "worker",
      (b) => {
        b.open(1, client);
        b.window(1, 0x7fff_ffff);
      },
    ],
    [
      "credit of nothing",
      "worker",
      (b) => {
        b.open(1, client);
        b.window(1, 0);
      },
    ],
    [
      "the end of a response from the front",
      "worker",
      (b) => {
        b.open(1, client);
        b.text(1, "x", "latin1");
        b.endResponseAt(b.lastData);
      },
    ],
    [
      "the end of a response from the front, alone",
      "worker",
      (b) => {
        b.open(1, client);
        b.responseEnd(1);
      },
    ],
  ])("is cut off for %s", (_, side, write) => {
    const end = greeted(side);
    expect(end.owner.down).toBeUndefined();
    feed(end, write);
    expect(end.owner.down).toMatchObject({ code: "LB_LINK_PROTOCOL" });
    expect(end.wire.state).toBe("destroyed");
    expect(end.session.streams).toBe(0);
    for (const stream of end.owner.accepted) expect(stream.phase).toBe("closed");
  });

  it.each<["front" | "worker", (batch: FrameBatch) => void]>([
    ["worker", (b) => b.open(1, client)],
    ["front", (b) => b.goaway()],
    ["front", (b) => b.hello(hello(0))],
    ["worker", (b) => b.hello(hello(0x8000_0000))],
  ])("is cut off when the %s is not greeted first, and properly", (side, write) => {
    const end = memoryEnd(side, hello(100));
    feed(end, write);
    expect(end.owner.down).toMatchObject({ code: "LB_LINK_PROTOCOL" });
  });
});
