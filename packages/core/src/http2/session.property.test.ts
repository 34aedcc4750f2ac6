import fc from "fast-check";
import { expect, test } from "vitest";
import {
  endHeaders,
  endStream,
  type Frame,
  fieldBlock,
  frame,
  preface,
  request,
  requestFields,
  setting,
  uint32,
} from "../../test/support/http2-frames.ts";
import { MemorySession } from "../../test/support/memory-http2.ts";

const streams = [1, 3, 5];
const largest = 70_000;

type Step =
  | { readonly kind: "send"; readonly stream: number; readonly bytes: number; readonly last: boolean }
  | { readonly kind: "open"; readonly stream: number; readonly bytes: number }
  | { readonly kind: "initial"; readonly bytes: number }
  | { readonly kind: "full"; readonly full: boolean }
  | { readonly kind: "turn" };

const stream = fc.constantFrom(...streams);
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("send"), stream, bytes: fc.nat(largest), last: fc.boolean() }),
    fc.record({
      kind: fc.constant("open"),
      stream: fc.constantFrom(0, ...streams),
      bytes: fc.integer({ min: 1, max: largest }),
    }),
    fc.record({ kind: fc.constant("initial"), bytes: fc.nat(largest) }),
    fc.record({ kind: fc.constant("full"), full: fc.boolean() }),
    fc.record({ kind: fc.constant("turn") }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

/** A client that counts: what it has allowed, and what it was sent. */
class Client {
  readonly #memory = new MemorySession();
  #initial = 65_535;
  #allowed = 65_535;
  readonly #opened = new Map(streams.map((id) => [id, 0]));
  readonly #given = new Map(streams.map((id) => [id, Buffer.alloc(0)]));
  readonly #got = new Map(streams.map((id) => [id, Buffer.alloc(0)]));
  readonly #finished = new Set<number>();
  readonly #ended = new Set<number>();
  #counter = 0;

  constructor() {
    this.#memory.receive(...streams.map((id) => request(id)));
    this.#memory.frames();
  }

  take(step: Step): void {
    switch (step.kind) {
      case "send": {
        if (this.#finished.has(step.stream)) return;
        if (step.last) this.#finished.add(step.stream);
        const bytes = Buffer.alloc(step.bytes, this.#counter++);
        this.#given.set(step.stream, Buffer.concat([this.#given.get(step.stream)!, bytes]));
        this.#user(step.stream).stream.send(bytes, 0, bytes.length, step.last);
        return;
      }
      case "open":
        if (step.stream === 0) this.#allowed += step.bytes;
        else this.#opened.set(step.stream, this.#opened.get(step.stream)! + step.bytes);
        this.#memory.receive(frame("windowUpdate", { stream: step.stream, payload: uint32(step.bytes) }));
        break;
      case "initial":
        // Before it is acknowledged the old one holds: what is written by then was allowed.
        this.#memory.endTurn();
        this.read();
        this.#initial = step.bytes;
        this.#memory.receive(frame("settings", { payload: setting(4, step.bytes) }));
        break;
      case "full":
        this.#memory.full = step.full;
        if (!step.full) this.#memory.session.drained();
        break;
      case "turn":
        this.#memory.endTurn();
        break;
      default:
        step satisfies never;
    }
    this.read();
  }

  read(): void {
    for (const one of this.#memory.frames()) if (one.type === "data") this.#data(one);
  }

  /** Opens everything, and everything has to come. */
  finish(): void {
    this.#memory.full = false;
    this.#memory.session.drained();
    for (const id of [0, ...streams]) this.take({ kind: "open", stream: id, bytes: 10_000_000 });
    for (const id of streams) {
      expect(this.#got.get(id)!.equals(this.#given.get(id)!)).toBe(true);
      expect(this.#ended.has(id)).toBe(this.#finished.has(id));
      expect(this.#user(id).closes).toBe(this.#finished.has(id) ? 1 : 0);
      expect(this.#user(id).stream.lent).toBe(false);
    }
    expect(this.#memory.told).toEqual(["settings", ...this.#memory.told.slice(1).map(() => "settings")]);
  }

  #user(id: number) {
    return this.#memory.users.find((user) => user.stream.id === id)!;
  }

  #data({ stream: id, flags, payload }: Frame): void {
    expect(this.#ended.has(id)).toBe(false);
    const before = this.#got.get(id)!;
    this.#got.set(id, Buffer.concat([before, payload]));
    this.#allowed -= payload.length;
    expect(this.#allowed).toBeGreaterThanOrEqual(0);
    if (payload.length > 0) {
      expect(before.length + payload.length).toBeLessThanOrEqual(this.#initial + this.#opened.get(id)!);
    }
    if ((flags & endStream) !== 0) this.#ended.add(id);
  }
}

test("what is sent comes in order, once, within every window, and all of it as far as there is room", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const client = new Client();
      for (const step of all) client.take(step);
      client.finish();
    }),
    { numRuns: 150 },
  );
});

const wild = fc.oneof(
  fc.record({
    type: fc.integer({ min: 0, max: 11 }),
    flags: fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x20), fc.nat(255)),
    stream: fc.constantFrom(0, 1, 1, 3, 3, 5, 2, 7, 2 ** 31 - 1),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        fieldBlock(requestFields()),
        uint32(8),
        setting(4, 0),
        setting(1, 0),
        Buffer.from("400178017abe", "hex"),
        Buffer.alloc(8),
      ),
    ),
  }),
  fc
    .constantFrom(1, 3, 5)
    .map((id) => ({ type: 1, flags: endHeaders, stream: id, payload: fieldBlock(requestFields()) })),
);

test("whatever comes, nothing throws, whoever has a stream hears of its end once, and our frames are well-formed", () => {
  fc.assert(
    fc.property(fc.array(wild, { maxLength: 40 }), fc.infiniteStream(fc.nat(6)), (frames, choices) => {
      const choose = () => choices.next().value as number;
      const memory = new MemorySession({ maxStreams: 2 }, Buffer.concat([preface, frame("settings")]));
      memory.reads = choose() > 2;
      for (const { type, flags, stream: id, payload } of frames) {
        const bytes = frame("data", { flags, stream: id, payload });
        bytes[3] = type;
        memory.receive(bytes);
        const user = memory.users.at(-1);
        const act = choose();
        if (act === 0) user?.stream.respond(Buffer.of(0x88), choose() > 4);
        else if (act === 1) user?.stream.send(payload, 0, payload.length, choose() > 4);
        else if (act === 2) user?.stream.resume();
        else if (act === 3) user?.stream.refuseRest();
        else if (act === 4) user?.stream.finish(choose() > 4 ? Buffer.of(0x88) : undefined);
        else if (act === 5 && choose() > 4) user?.stream.reset(8);
      }
      memory.endTurn();
      memory.session.closed();
      expect(memory.users.every(({ closes }) => closes === 1)).toBe(true);
      expect(memory.told.filter((one) => one.startsWith("failed")).length).toBeLessThanOrEqual(1);
      expect(memory.frames().every(({ type }) => typeof type === "string")).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
