import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { drainAtPace, type PacedDrainOptions, waveSize } from "./paced-drain.ts";
import type { EngineSession } from "./session-end.ts";

/** Milliseconds that it took, of a time that passes as soon as nothing else is to be done. */
async function drain(options: PacedDrainOptions, random: () => number = Math.random): Promise<number> {
  const clock = new ManualClock();
  let isDrained = false;
  const drained = drainAtPace(options, { clock, random }).finally(() => {
    isDrained = true;
  });
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isDrained) break;
    clock.advance(10);
  }
  await drained;
  return clock.now();
}

interface Session extends EngineSession {
  endedBy: "goodbye" | "close" | "discard" | undefined;
}

function session(transport: "websocket" | "polling", isBusy = false): Session {
  const made: Session = {
    readyState: "open",
    upgrading: false,
    writeBuffer: [],
    endedBy: undefined,
    transport: {
      name: transport,
      writable: !isBusy,
      send: () => {
        made.transport.writable = false;
      },
      close: () => {
        made.endedBy ??= "goodbye";
      },
    },
    close: (discard) => {
      made.endedBy ??= discard === true ? "discard" : "close";
    },
  };
  return made;
}

/** An engine that forgets a session as soon as it is ended. */
function engineOf(all: readonly Session[]) {
  const open = () => all.filter(({ endedBy }) => endedBy === undefined);
  return () => ({
    clients: Object.fromEntries(open().map((one, index) => [`sid-${index}`, one])),
    clientsCount: open().length,
  });
}

test("waves are of even size, and the last one takes whoever is left", () => {
  expect(waveSize(100, 1_000)).toBe(10);
  expect(waveSize(90, 900)).toBe(10);
  expect(waveSize(7, 50)).toBe(7);
  expect(waveSize(7, -1)).toBe(7);
  expect(waveSize(3, 60_000)).toBe(1);
});

test("all are ended, a WebSocket by a good-bye, polling by one and what is behind it", async () => {
  const all = [...Array.from({ length: 30 }, () => session("websocket")), session("polling")];
  await drain({ sessions: engineOf(all), spreadMs: 300, graceMs: 10_000 });
  expect(all.map(({ endedBy }) => endedBy)).toEqual([...Array.from({ length: 30 }, () => "goodbye"), "discard"]);
});

test("not all are ended at the same time", async () => {
  const all = Array.from({ length: 40 }, () => session("websocket"));
  const draining = drain({ sessions: engineOf(all), spreadMs: 400, graceMs: 10_000 }, () => 0);
  const endedAtOnce = all.filter(({ endedBy }) => endedBy !== undefined).length;
  await draining;
  expect(endedAtOnce).toBe(10);
});

test("one that is busy is left alone until time is up, then ended all the same", async () => {
  const busy = session("websocket", true);
  await drain({ sessions: engineOf([busy]), spreadMs: 0, graceMs: 10_000 }, () => 0);
  expect(busy.endedBy).toBe("close");
});

test("a polling client that does not poll any more is given up, and not waited for until the grace is over", async () => {
  const away = session("polling", true);
  const tookMs = await drain({ sessions: engineOf([away]), spreadMs: 0, graceMs: 30_000 }, () => 0);
  expect([away.endedBy, tookMs < 10_000]).toEqual(["discard", true]);
});

test("it does not last longer than the grace", async () => {
  const busy = session("polling", true);
  const tookMs = await drain({ sessions: engineOf([busy]), spreadMs: 60_000, graceMs: 200 }, () => 0);
  expect([busy.endedBy, tookMs < 400]).toEqual([undefined, true]);
});

test("without a server there is nothing to do", async () => {
  await expect(drain({ sessions: () => undefined, spreadMs: 1_000, graceMs: 1_000 })).resolves.toBe(0);
});
