import type { Edition } from "../../src/supervisor/edition.ts";
import { Slot } from "../../src/supervisor/slot.ts";
import type { SlotObserver } from "../../src/supervisor/slot-options.ts";
import { FakeWorker } from "./fake-worker.ts";
import { ManualClock } from "./manual-clock.ts";

/** With these variables. */
export function editionOf(env: Edition["env"]): Edition {
  return { env, cwd: "/srv" };
}

/** The first slot, on port 3001, whose workers are fakes that it adds to the list; a successor gets the port 9001. */
export function testSlot(
  observer: Partial<SlotObserver> = {},
  {
    hears = true,
    edition = () => editionOf({}),
    stopExitCodes = [],
  }: { hears?: boolean; edition?: () => Edition; stopExitCodes?: readonly number[] } = {},
) {
  const clock = new ManualClock();
  const workers: FakeWorker[] = [];
  const slot = new Slot({
    slot: 0,
    port: 3001,
    edition,
    sparePort: async () => 9_001,
    startTimeoutMs: 30_000,
    drainTimeoutMs: 10_000,
    policy: { died: () => ({ kind: "restart", delayMs: 100 }) },
    clock,
    endpoint: (incarnation) => ({
      id: `1.${incarnation}`,
      slot: 0,
      incarnation,
      weight: 1,
      address: { kind: "unix", path: `/run/1.${incarnation}` },
    }),
    hears,
    stopExitCodes,
    launch: (start, workerObserver) => {
      workers.push(new FakeWorker(100 + workers.length, start, workerObserver));
      return workers.at(-1)!;
    },
    observer: {
      slotEvent: () => {},
      slotRouteChanged: () => {},
      slotStartFailed: () => {},
      slotAwaitsRestart: () => {},
      slotReady: () => {},
      slotDoomed: () => {},
      slotVitals: () => {},
      slotMetrics: () => {},
      slotExited: () => {},
      ...observer,
    },
  });
  return { clock, workers, slot };
}
