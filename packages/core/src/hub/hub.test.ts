import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { MemoryHubLink, settle, turn } from "../../test/support/memory-hub.ts";
import { BatchedOutput } from "./batched-output.ts";
import { Hub } from "./hub.ts";
import { maxQueuedBytes } from "./limits.ts";
import type { WorkerChannel } from "./worker-channel.ts";

const retention = { maxEntries: 1_000, maxBytes: 1_000_000, maxAgeMs: 1_000_000 };

function start(workers: number, settings = retention) {
  const clock = new ManualClock();
  const hub = new Hub(clock);
  const add = (endpointId: string) => {
    const link = new MemoryHubLink(hub, endpointId, clock);
    const channel = link.end.channel("test", settings);
    const heard: string[] = [];
    channel.onRetained(({ payload, from, count }) => heard.push(`${from}#${count} ${payload}`));
    return { link, channel, heard };
  };
  return { clock, hub, add, all: Array.from({ length: workers }, (_, index) => add(`${index + 1}.1`)) };
}

async function replayed(channel: WorkerChannel, position: string): Promise<string[] | undefined> {
  const replay = await channel.replay(position);
  return replay.complete ? replay.messages.map(({ payload, from, count }) => `${from}#${count} ${payload}`) : undefined;
}

function framed(body: string | Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(body));
  return Buffer.concat([length, Buffer.from(body as string)]);
}

/** Of every type there is and some there are not, its content as it comes. */
const frame = fc
  .tuple(fc.nat(9), fc.uint8Array({ maxLength: 60 }), fc.nat(9))
  .map(([type, rest, operation]) =>
    framed(Uint8Array.from([type, ...rest.subarray(0, 4), operation, ...rest.subarray(4)])),
  );

/** All of them, in this order, whatever else is between. */
function inOrder(lines: readonly string[]): (heard: readonly string[]) => boolean {
  return (heard) => heard.filter((line) => lines.includes(line)).join() === lines.join();
}

describe("retained messages", () => {
  it("reach everybody once and in one order, and replays are exact, however connections break", async () => {
    const worker = fc.nat(3);
    const command = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant("retain" as const), worker }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("publish" as const), worker }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("pass" as const), worker, bytes: fc.integer({ min: 1, max: 120 }) }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("turn" as const), worker }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), worker }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("note" as const), worker }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 80 }), async (commands) => {
        const { all, add } = start(4);
        await settle(all.map(({ link }) => link));
        const said: string[][] = [[], [], [], []];
        const notes: { position: string; seen: ReadonlySet<string> }[] = [];
        for (const one of commands) {
          const { link, channel, heard } = all[one.worker]!;
          switch (one.kind) {
            case "retain": {
              const { count, from } = channel.retain("x".repeat(said[one.worker]!.length % 7));
              said[one.worker]!.push(`${from}#${count} ${"x".repeat(said[one.worker]!.length % 7)}`);
              break;
            }
            case "publish":
              channel.publish("between");
              break;
            case "pass":
              link.pass(one.bytes);
              break;
            case "turn":
              await turn();
              break;
            case "cut":
              link.cut();
              break;
            case "note":
              notes.push({ position: channel.position(), seen: new Set([...heard, ...said[one.worker]!]) });
              break;
          }
        }
        await settle(all.map(({ link }) => link));
        for (const [index, { heard }] of all.entries()) {
          const others = said.flatMap((lines, sender) => (sender === index ? [] : lines));
          expect([...heard].sort()).toEqual([...others].sort());
          for (const [sender, lines] of said.entries()) if (sender !== index) expect(heard).toSatisfy(inOrder(lines));
        }
        const [a, b] = [all[0]!, all[1]!].map(({ heard }) => heard.filter((line) => /^[34]/.test(line)));
        expect(a).toEqual(b);
        // A latecomer knows nothing but what the primary has kept.
        const late = add("1.2");
        await settle([...all, late].map(({ link }) => link));
        const everything = said.flat().sort();
        for (const { position, seen } of notes) {
          for (const { channel, link } of [...all, late]) {
            const asked = replayed(channel, position);
            await settle([link]);
            const missed = await asked;
            expect([...missed!].sort()).toEqual(everything.filter((line) => !seen.has(line)));
            for (const lines of said) expect(missed!).toSatisfy(inOrder(lines.filter((line) => !seen.has(line))));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("are forgotten beyond their bounds, and a replay that would have a hole says so", async () => {
    const { all, clock } = start(2, { maxEntries: 3, maxBytes: 1_000, maxAgeMs: 100 });
    const [a, b] = all as [(typeof all)[0], (typeof all)[0]];
    const links = [a.link, b.link];
    await settle(links);
    const first = a.channel.position();
    for (const text of ["1", "2", "3"]) a.channel.retain(text);
    await settle(links);
    expect(await replayed(b.channel, first)).toEqual(["1.1#1 1", "1.1#2 2", "1.1#3 3"]);
    a.channel.retain("4");
    await settle(links);
    const asked = replayed(b.channel, first);
    await settle(links);
    expect(await asked).toBeUndefined();
    const second = b.channel.position();
    clock.advance(101);
    b.channel.retain("late");
    await settle(links);
    expect(await replayed(a.channel, second)).toEqual(["2.1#1 late"]);
    a.channel.retain("x".repeat(2_000));
    await settle(links);
    const tooLarge = replayed(b.channel, second);
    await settle(links);
    expect(await tooLarge).toBeUndefined();
  });
});

it("what cannot be sent is refused, and nothing is remembered of it", async () => {
  const { all } = start(1);
  const [a] = all as [(typeof all)[0]];
  await settle([a.link]);
  const before = a.channel.position();
  expect(() => a.channel.retain(Buffer.alloc(33_554_432))).toThrow(expect.objectContaining({ code: "LB_HUB_FRAME" }));
  expect(a.channel.position()).toBe(before);
  // While the connection is being made anew they wait, but not without bound.
  a.link.cut();
  const large = "x".repeat(16_777_216);
  for (let n = 0; n < 5; n += 1) a.channel.retain(large);
  expect(() => a.channel.retain(large)).toThrow(expect.objectContaining({ code: "LB_HUB_BACKLOG" }));
});

it("who has left a channel is on it no more, and can come again", async () => {
  const { all } = start(2);
  const [a, b] = all as [(typeof all)[0], (typeof all)[0]];
  const links = [a.link, b.link];
  await settle(links);
  expect(b.channel.members()).toEqual(["1.1"]);
  a.channel.close();
  a.channel.close();
  await settle(links);
  expect(b.channel.members()).toEqual([]);
  expect(() => a.channel.publish("x")).toThrow(expect.objectContaining({ code: "LB_HUB_CHANNEL" }));
  const again = a.link.end.channel("test", undefined);
  await settle(links);
  expect(again.members()).toEqual(["2.1"]);
  expect(b.channel.members()).toEqual(["1.1"]);
});

describe("the hub", () => {
  it("cuts off who does not read, and tells the others", async () => {
    const { all } = start(2);
    const [a, b] = all as [(typeof all)[0], (typeof all)[0]];
    await settle([a.link, b.link]);
    const left: string[] = [];
    a.channel.onLeave((endpointId) => left.push(endpointId));
    b.link.unread = maxQueuedBytes;
    a.channel.publish("one too many");
    await settle([a.link]);
    expect(b.link.overflows).toEqual([maxQueuedBytes]);
    expect(left).toEqual(["2.1"]);
  });

  it("takes nothing from a worker under another's name, and outlives whatever one sends", async () => {
    const { hub, all } = start(2);
    await settle(all.map(({ link }) => link));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), frame)), fc.boolean(), (chunks, greeted) => {
        let ended = false;
        const session = hub.connect({
          output: new BatchedOutput(),
          destroy: () => {
            ended = true;
          },
          overflowed: () => {},
        });
        if (greeted) session.receive(framed(`\u0005{"kind":"hello","endpointId":"3.1"}`));
        for (const chunk of chunks) if (!ended) session.receive(Buffer.from(chunk));
        session.lost();
      }),
    );
    const heard: string[] = [];
    all[1]!.channel.onMessage((payload, from) => heard.push(`${from} ${payload}`));
    all[0]!.link.end.output().batch.message(all[0]!.channel.number, 7 * 2 ** 32 + 1, "forged");
    all[0]!.channel.publish("genuine");
    await settle(all.map(({ link }) => link));
    expect(heard).toEqual(["1.1 genuine"]);
  });

  it("answers who asks what makes no sense, and no question stays open", async () => {
    const { all, clock } = start(1);
    const [{ link, channel }] = all as [(typeof all)[0]];
    await settle([link]);
    const senseless = link.end.request(99, [], "");
    senseless.catch(() => {});
    await settle([link]);
    await expect(senseless).rejects.toMatchObject({ code: "LB_HUB_PROTOCOL" });
    const cut = channel.store.get("key");
    cut.catch(() => {});
    link.cut();
    await expect(cut).rejects.toMatchObject({ code: "LB_HUB_CUT" });
    const late = channel.store.get("key");
    late.catch(() => {});
    clock.advance(11_000);
    await expect(late).rejects.toMatchObject({ code: "LB_HUB_TIMEOUT" });
    const lost = channel.store.get("key");
    link.end.lost(undefined);
    await expect(lost).rejects.toMatchObject({ code: "LB_HUB_LOST" });
    expect(() => channel.publish("x")).toThrow(expect.objectContaining({ code: "LB_HUB_LOST" }));
    await expect(channel.store.get("key")).rejects.toMatchObject({ code: "LB_HUB_LOST" });
  });
});
