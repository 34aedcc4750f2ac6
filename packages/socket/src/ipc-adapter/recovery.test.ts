import { retainedPosition } from "@lb/core";
import { expect, it } from "vitest";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { MemoryHubLink, memoryHub, settle, turn } from "../../../core/test/support/memory-hub.ts";
import type { AdaptedNamespace } from "./namespace.ts";
import { Recovery } from "./recovery.ts";
import { encodeSession } from "./session-record.ts";

const retention = { maxEntries: 1_000, maxBytes: 1_000_000, maxAgeMs: 1_000_000 };

function start() {
  const clock = new ManualClock();
  const hub = memoryHub(clock);
  const instance = (endpointId: string) => {
    const link = new MemoryHubLink(hub, endpointId, clock);
    const channel = link.end.channel("test", retention);
    const namespace = { sockets: new Map(), prependListener() {}, removeListener() {} };
    const recovery = new Recovery({
      channel,
      namespace: namespace as unknown as AdaptedNamespace,
      maxDisconnectionMs: 60_000,
      reader: undefined as never,
      deliver() {},
      clock,
      failed(error) {
        throw error;
      },
    });
    const listen = () => channel.onMessage((payload, from) => recovery.owners.told(payload.subarray(1), from));
    return { link, channel, recovery, listen };
  };
  return { clock, instances: ["1.1", "2.1", "3.1"].map(instance) };
}

it("a client is not lost with an instance that dies while it lets it in, whenever that is", async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    const { instances } = start();
    const [first, second, third] = [instances[0]!, instances[1]!, instances[2]!];
    await settle(instances.map(({ link }) => link));
    const offset = first.channel.position();
    const at = retainedPosition.parse(offset);
    const session = {
      sid: "sid",
      pid: "pid",
      rooms: new Map(),
      data: { a: 1 },
      confirmed: at,
      owner: "1.1",
      connected: true,
    };
    void first.channel.store.set("pid", encodeSession(session), 60_000);
    await settle([first.link]);
    first.link.die();
    await settle([second.link, third.link]);

    void second.recovery.restore("pid", offset).catch(() => {});
    for (let done = 0; done < turns; done += 1) {
      await turn();
      second.link.pass(Number.POSITIVE_INFINITY);
    }
    second.link.die();
    const restored = third.recovery.restore("pid", offset);
    await settle([third.link]);
    expect(await restored, `after ${turns} turns`).toMatchObject({ sid: "sid", pid: "pid", data: { a: 1 } });
    for (const { recovery } of instances) recovery.close();
  }
});

it("of two instances that ask at the same time one lets a client in", async () => {
  const { clock, instances } = start();
  await settle(instances.map(({ link }) => link));
  const [first, ...others] = instances;
  const offset = first!.channel.position();
  const confirmed = retainedPosition.parse(offset);
  const session = { sid: "sid", pid: "pid", rooms: new Map(), data: {}, confirmed, owner: "1.1", connected: false };
  void first!.channel.store.set("pid", encodeSession(session), 60_000);
  await settle([first!.link]);
  const restored = Promise.all(others.map(({ recovery }) => recovery.restore("pid", offset)));
  await settle(instances.map(({ link }) => link));
  // Who has it does not answer, and nobody waits for that for ever.
  clock.advance(2_000);
  expect((await restored).filter((one) => one !== null)).toHaveLength(1);
  for (const { recovery } of instances) recovery.close();
});

it("an attempt whose client has left gives way to the one that came after it", async () => {
  const { instances } = start();
  await settle(instances.map(({ link }) => link));
  const [first, abandoned, last] = [instances[0]!, instances[1]!, instances[2]!];
  for (const { listen } of instances) listen();
  const offset = first.channel.position();
  const confirmed = retainedPosition.parse(offset);
  const session = { sid: "sid", pid: "pid", rooms: new Map(), data: {}, confirmed, owner: "1.1", connected: true };
  void first.channel.store.set("pid", encodeSession(session), 60_000);
  await settle([first.link]);
  // It says nothing any more: both wait for it, until it dies.
  const others = [abandoned.link, last.link];
  const restored = [abandoned.recovery.restore("pid", offset), last.recovery.restore("pid", offset)];
  await settle(others);
  first.link.die();
  await settle(others);
  // Nobody makes a socket of what the first one gets.
  expect(await Promise.all(restored)).toEqual([
    expect.objectContaining({ sid: "sid" }),
    expect.objectContaining({ sid: "sid" }),
  ]);
  for (const { recovery } of instances) recovery.close();
});
