import { beforeEach, describe, expect, it } from "vitest";
import type { FakeWorker } from "../../test/support/fake-worker.ts";
import type { ManualClock } from "../../test/support/manual-clock.ts";
import { testSlot } from "../../test/support/test-slot.ts";
import type { Slot } from "./slot.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const watched = { ready: () => {}, failed: () => {} };

describe("a slot of workers that hear signals alone", () => {
  let clock: ManualClock;
  let workers: FakeWorker[];
  let slot: Slot;
  const ports = () => workers.map(({ start }) => start.port);

  beforeEach(() => {
    ({ clock, workers, slot } = testSlot({}, { hears: false }));
    slot.start();
  });

  it("shows the port on which the one that serves listens, which stays its own", async () => {
    workers[0]!.ready();
    slot.startSuccessor(9_001, watched);
    workers[1]!.ready();
    slot.promote();
    expect(slot.snapshot().port).toBe(9_001);
    slot.commit(5_000);
    workers[0]!.exit();
    expect(workers[1]!.asked).toEqual([]);
    expect(slot.snapshot().port).toBe(9_001);
    expect(slot.portIsHeld).toBe(false);
    workers[1]!.exit({ exitCode: 1 });
    clock.advance(100);
    expect([ports(), slot.snapshot().port]).toEqual([[3_001, 9_001, 3_001], 3_001]);
  });

  it("does not count one that drains among those that can answer", () => {
    workers[0]!.ready();
    expect(slot.living).toHaveLength(1);
    slot.startSuccessor(9_001, watched);
    workers[1]!.ready();
    slot.promote();
    slot.commit(5_000);
    expect(slot.living.map(({ id }) => id)).toEqual(["1.2"]);
  });

  it("FAULTS 70: starts elsewhere after one that ended before it was ready, and comes back to its own port", async () => {
    workers[0]!.exit({ exitCode: 1 });
    clock.advance(100);
    await turn();
    workers[1]!.exit({ exitCode: 1 });
    clock.advance(100);
    await turn();
    expect(ports()).toEqual([3_001, 9_001, 3_001]);
    workers[2]!.ready();
    clock.advance(50);
    workers[2]!.exit({ exitCode: 1 });
    clock.advance(100);
    await turn();
    expect(ports()).toEqual([3_001, 9_001, 3_001, 3_001]);
  });
});
