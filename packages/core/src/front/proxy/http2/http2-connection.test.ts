import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  endStream,
  type Frame,
  fieldBlock,
  frame,
  preface,
  readFrames,
  request,
  requestFields,
  setting,
  uint32,
} from "../../../../test/support/http2-frames.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { memoryContext, memoryFacts } from "../../../../test/support/memory-proxy.ts";
import { http2Schema } from "../../../options/http2-options.ts";
import { parseOptions } from "../../../options/validation.ts";
import { Quarantine } from "../quarantine.ts";
import { Http2Connection } from "./http2-connection.ts";

/** A client's end: what it is written is read, or waits for ever. */
class ClientSocket extends Duplex {
  readonly remotePort = 40_000;
  readonly writes: Buffer[] = [];
  reads = true;
  #written: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.writes.push(Buffer.from(chunk));
    if (this.reads) written();
    else this.#written = written;
  }

  /** Reads what waits, and goes on. */
  readAll(): void {
    this.reads = true;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  get frames(): readonly Frame[] {
    return readFrames(Buffer.concat(this.writes)).frames;
  }
}

async function opened(http2: object = {}, ...opening: readonly Buffer[]) {
  return openedIn(memoryContext({ settings: { http2: parseOptions(http2Schema, http2, "http2") } }), ...opening);
}

async function openedIn(around: ReturnType<typeof memoryContext>, ...opening: readonly Buffer[]) {
  const socket = new ClientSocket();
  const connection = new Http2Connection(socket as unknown as Socket, memoryFacts, around.context);
  const send = async (...bytes: readonly Buffer[]) => {
    socket.push(Buffer.concat(bytes));
    await nextTurn();
    await nextTurn();
  };
  await send(preface, frame("settings"), ...opening);
  return { ...around, socket, connection, send };
}

const wide = [frame("settings", { payload: setting(4, 2 ** 30) }), frame("windowUpdate", { payload: uint32(2 ** 30) })];
const ok = (body: string, fields = "") => `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

test("what several endpoints answer in one turn leaves in one write, and a stream's way is kept for the next", async () => {
  const { socket, send, streams } = await opened();
  await send(request(1), request(3), request(5));
  socket.writes.length = 0;
  for (const stream of streams) stream.answers(ok("fine"));
  expect(socket.writes).toHaveLength(0);
  await nextTurn();
  await nextTurn();
  expect(socket.writes).toHaveLength(1);
  expect(socket.frames.map(({ type, stream }) => `${type} ${stream}`)).toEqual(
    [1, 3, 5].flatMap((id) => [`headers ${id}`, `data ${id}`]),
  );
  expect(streams.map(({ state }) => state)).toEqual(["released", "released", "released"]);
});

test("BAD-INPUTS 144, 146: answers to PINGs, to a client that does not read them: what waits is bounded", async () => {
  const { socket, send } = await opened({ maxControlFramesPerSecond: 1_000_000 });
  socket.reads = false;
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame("ping", { payload: Buffer.alloc(8) })));
  for (let at = 0; at < 100 && !socket.isPaused(); at++) await send(pings);
  expect(socket.isPaused()).toBe(true);
  expect(socket.writableLength).toBeLessThan(600_000);
  socket.readAll();
  await nextTurn();
  expect(socket.isPaused()).toBe(false);
});

test("BAD-INPUTS 146: requests without end, of a client that reads no answer: what waits is bounded, too", async () => {
  const { socket, send, streams } = await opened({}, ...wide);
  socket.reads = false;
  const long = `X-Long: ${"x".repeat(10_000)}\r\n`;
  let id = 1;
  while (!socket.isPaused() && id < 2_000) {
    await send(request(id), request(id + 2));
    for (const stream of streams.splice(0)) stream.answers(ok("x".repeat(20_000), long));
    id += 4;
    await nextTurn();
  }
  expect(socket.isPaused()).toBe(true);
  expect(socket.writableLength).toBeLessThan(700_000);
});

test("a response to a client that reads slowly stops its endpoint, and goes on when there is room", async () => {
  const { socket, send, streams } = await opened({}, ...wide);
  await send(request(1));
  socket.reads = false;
  const [stream] = streams;
  const part = "x".repeat(65_536);
  stream!.answers(`HTTP/1.1 200 OK\r\nContent-Length: ${20 * part.length}\r\n\r\n`);
  let parts = 0;
  while (!stream!.paused && parts < 20) {
    stream!.answers(part);
    parts++;
    await nextTurn();
  }
  expect(parts).toBeLessThan(6);
  expect(socket.writableLength).toBeLessThan(300_000);
  socket.readAll();
  await nextTurn();
  await nextTurn();
  expect(stream!.paused).toBe(false);
  for (; parts < 20; parts++) stream!.answers(part);
  await nextTurn();
  await nextTurn();
  const body = socket.frames.filter(({ type }) => type === "data").reduce((sum, one) => sum + one.payload.length, 0);
  expect(body).toBe(20 * part.length);
});

test("an upload is given no more room while its endpoint takes no more, and all of it arrives", async () => {
  const { socket, send, streams } = await opened({ windowBytes: 65_535 });
  const fields = requestFields("/", [["content-length", "160000"]], "POST");
  await send(request(1, fields, 4));
  const [stream] = streams;
  stream!.full = true;
  const updates = () => socket.frames.filter(({ type, stream: id }) => type === "windowUpdate" && id === 1).length;
  const data = frame("data", { stream: 1, payload: Buffer.alloc(16_000, "u") });
  for (let at = 0; at < 4; at++) await send(data);
  expect(updates()).toBe(0);
  stream!.takesMore();
  await nextTurn();
  await nextTurn();
  expect(updates()).toBe(1);
  for (let at = 4; at < 10; at++) await send(data);
  expect(stream!.sent.length - stream!.sent.indexOf("\r\n\r\n") - 4).toBe(160_000);
});

test("BAD-INPUTS 148: blocks of a few octets that say too much are answered 431, and end the connection when they go on", async () => {
  const { socket, send, streams } = await opened();
  const field = Buffer.concat([Buffer.from("4001787fe11d", "hex"), Buffer.alloc(3_936, "b")]);
  const bomb = (id: number, block: Buffer) =>
    frame("headers", { stream: id, flags: 5, payload: Buffer.concat([fieldBlock(requestFields()), block]) });
  await send(bomb(1, Buffer.concat([field, Buffer.alloc(20, 0xbe)])));
  for (let id = 3; id < 1_203; id += 2) await send(bomb(id, Buffer.alloc(20, 0xbe)));
  const last = socket.frames.at(-1);
  expect([last?.type, last?.payload.readUInt32BE(4)]).toEqual(["goaway", 11]);
  expect(socket.frames.filter(({ type }) => type === "headers").length).toBeLessThanOrEqual(501);
  expect(streams).toEqual([]);
});

test.each([13, 160_000])(
  "FAULTS 76: a body of %i bytes is read where something is known against the head of its request",
  async (length) => {
    const quarantine = new Quarantine({ settings: { action: "refuse", termMs: 60_000 }, clock: new ManualClock() });
    const settings = { http2: parseOptions(http2Schema, { windowBytes: 65_535 }, "http2") };
    const { socket, send, streams, inFlight } = await openedIn(
      memoryContext({ settings, quarantine: () => quarantine }),
    );
    quarantine.blame({ head: "POST a.example/", body: "of another" }, { how: "died", alone: false, tookMs: 1 });
    for (const id of [1, 3]) {
      await send(request(id, requestFields("/", [["content-length", String(length)]], "POST"), 4));
      expect(streams).toHaveLength((id - 1) / 2);
      for (let at = 0; at < length; at += 16_000) {
        const payload = Buffer.alloc(Math.min(16_000, length - at), "u");
        await send(frame("data", { stream: id, payload, flags: at + payload.length === length ? endStream : 0 }));
      }
      const stream = streams.at(-1)!;
      expect(stream.sent.match(/u*$/)![0]).toHaveLength(length);
      stream.answers(ok("fine"));
    }
    await nextTurn();
    const answers = socket.frames.filter(({ type, stream: id }) => type === "data" && id !== 0);
    expect([answers.length, inFlight()]).toEqual([2, 0]);
  },
);

test("a connection that ends leaves nothing with an endpoint", async () => {
  const { socket, send, streams, closed, inFlight } = await opened();
  await send(request(1), request(3, requestFields("/", [], "POST"), 4));
  streams[0]!.answers(ok("fine"));
  socket.destroy();
  await nextTurn();
  expect([closed, inFlight()]).toEqual([[false], 0]);
  expect(streams.map(({ state }) => state)).toEqual(["released", "destroyed"]);
});
