import { beforeEach, describe, expect, it, test } from "vitest";
import type { FakeWorker } from "../../test/support/fake-worker.ts";
import type { ManualClock } from "../../test/support/manual-clock.ts";
import { editionOf, testSlot } from "../../test/support/test-slot.ts";
import type { WorkerEvent } from "./events.ts";
import type { Slot } from "./slot.ts";
import type { SuccessorFailure } from "./succession.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a slot in a replacement", () => {
  let clock: ManualClock;
  let workers: FakeWorker[];
  let routes: string[];
  /** Who could be reached, whenever the routes were asked for anew. */
  let reachable: string[];
  let events: WorkerEvent[];
  let slot: Slot;
  let told: string[];

  const worker = (index: number): FakeWorker => workers[index]!;
  const asked = () => workers.map((one) => one.asked.join(", "));
  const route = () => routes.at(-1);
  const observer = {
    ready: () => void told.push("ready"),
    failed: (failure: SuccessorFailure) => void told.push(`failed: ${failure.kind}`),
  };

  beforeEach(() => {
    [routes, reachable, events, told] = [[], [], [], []];
    ({ clock, workers, slot } = testSlot({
      slotEvent: (event) => void events.push(event),
      slotRouteChanged: () => {
        routes.push(slot.endpoints.map(({ id }) => id).join(" "));
        reachable.push(
          slot.living
            .map(({ id }) => id)
            .sort()
            .join(" "),
        );
      },
      slotStartFailed: (error) => void told.push(`start failed: ${error.code}`),
      slotExited: (endpoint, port) => void told.push(`gone: ${endpoint.id} from ${port}`),
    }));
    slot.start();
    worker(0).ready();
    told.length = 0;
  });

  /** A successor that is ready, and has taken over if so wanted. */
  const succeed = (step: "ready" | "promoted") => {
    slot.startSuccessor(9_001, observer);
    worker(1).ready();
    if (step === "promoted") slot.promote();
  };

  it("routes to the old one until the new one takes over, and lets it go only when settled", () => {
    slot.startSuccessor(9_001, observer);
    expect(route()).toBe("1.1");
    worker(1).ready();
    expect([told, route()]).toEqual([["ready"], "1.1"]);
    slot.promote();
    expect([route(), asked()]).toEqual(["1.2", ["", ""]]);
    slot.commit(5_000);
    expect(asked()).toEqual(["drain 5000", ""]);
    expect(slot.snapshot()).toMatchObject({ pid: 101, state: "ready", port: 3001, restarts: 1 });
  });

  it("has the new one open the slot's own port when the old one has left it", async () => {
    succeed("promoted");
    slot.commit(5_000);
    expect(slot.worker(slot.endpoints[0]!)?.port).toBe(9_001);
    const settled = slot.settled();
    worker(0).exit({ exitCode: 0 });
    await settled;
    expect(asked()).toEqual(["drain 5000", "open 3001"]);
    expect(events.at(-1)).toMatchObject({ kind: "exit", reason: "replaced" });
  });

  it("keeps one reachable that drains while the new one takes over", () => {
    slot.startSuccessor(9_001, observer);
    worker(0).observer.workerRetiring();
    worker(1).ready();
    reachable.length = 0;
    slot.promote();
    expect(reachable).toEqual(["1.1 1.2"]);
  });

  it("keeps one reachable that is taken back", () => {
    succeed("promoted");
    reachable.length = 0;
    slot.revert(2_000);
    expect(new Set(reachable)).toEqual(new Set(["1.1 1.2"]));
  });

  it("gives the slot back when the new one is taken back", () => {
    succeed("promoted");
    slot.revert(2_000);
    expect([route(), asked()]).toEqual(["1.1", ["", "drain 2000"]]);
    worker(1).exit();
    expect([workers.length, slot.snapshot().state]).toEqual([2, "ready"]);
    expect(events.at(-1)).toMatchObject({ kind: "exit", reason: "rolled-back" });
  });

  it("gives it back in the moment in which the new one dies", () => {
    succeed("promoted");
    worker(1).observer.workerDetached();
    expect(route()).toBe("1.1");
    worker(1).observer.workerExited({ exitCode: 1, signal: null, spawnError: undefined });
    expect(told).toEqual(["ready", "gone: 1.2 from 9001", "failed: exited"]);
    clock.advance(60_000);
    expect(workers).toHaveLength(2);
  });

  it("gives it back when somebody ends the new one by a signal", () => {
    succeed("promoted");
    worker(1).observer.workerRetiring();
    expect([route(), asked()]).toEqual(["1.1", ["", "drain 10000"]]);
    expect(told).toEqual(["ready", "failed: retired"]);
    worker(1).exit();
    expect(told).toEqual(["ready", "failed: retired", "gone: 1.2 from 9001"]);
    expect(workers).toHaveLength(2);
  });

  it.each(["a signal", "the loss of its channel"])("does not give it to one that %s has on its way out", (how) => {
    succeed("ready");
    if (how === "a signal") worker(1).observer.workerRetiring();
    else worker(1).observer.workerDetached();
    slot.promote();
    expect([route(), slot.isPromoted]).toEqual(["1.1", false]);
    slot.revert(2_000);
    worker(1).exit();
    expect([route(), workers.length]).toEqual(["1.1", 2]);
  });

  it("waits for the new one when the old one dies meanwhile, instead of starting a third", () => {
    slot.startSuccessor(9_001, observer);
    worker(0).exit({ exitCode: 1 });
    clock.advance(60_000);
    expect([workers.length, slot.snapshot().state]).toEqual([2, "starting"]);
    worker(1).ready();
    slot.promote();
    expect([route(), asked()[1]]).toEqual(["1.2", "open 3001"]);
  });

  it("leaves the old one its grace when somebody ended that by a signal before", async () => {
    slot.startSuccessor(9_001, observer);
    worker(0).observer.workerRetiring();
    worker(1).ready();
    slot.promote();
    slot.commit(5_000);
    expect([route(), asked()]).toEqual(["1.2", ["drain 10000", ""]]);
    const settled = slot.settled();
    worker(0).exit({ exitCode: 0 });
    await settled;
    expect(asked()).toEqual(["drain 10000", "open 3001"]);
  });

  it("starts again when neither is left", () => {
    slot.startSuccessor(9_001, observer);
    worker(0).exit({ exitCode: 1 });
    worker(1).observer.workerFailed({ code: "LB_APP_THREW", message: "broken" });
    expect(told.at(-1)).toBe("failed: not-started");
    expect(workers).toHaveLength(3);
    worker(2).ready();
    expect(route()).toBe("1.3");
  });

  it("survives the death of the one that stands by", async () => {
    succeed("promoted");
    worker(0).exit({ exitCode: 1 });
    expect([route(), told.at(-1)]).toEqual(["1.2", "gone: 1.1 from 3001"]);
    slot.revert(1_000);
    // Nobody is left to have the slot back: it starts anew.
    await turn();
    expect([workers.length, asked()[1]]).toEqual([3, "open 3001, drain 1000"]);
  });

  it("routes to both while the new one is a canary", () => {
    succeed("ready");
    slot.tryOut();
    expect(route()).toBe("1.1 1.2");
    slot.revert(1_000);
    expect(route()).toBe("1.1");
  });

  it("keeps traffic from both while an operator holds it", () => {
    slot.hold(true);
    succeed("promoted");
    expect([route(), slot.snapshot().state]).toEqual(["", "held"]);
    slot.commit(1_000);
    slot.hold(false);
    expect(route()).toBe("1.2");
  });

  it("replaces in place: the old one ends, the new one has its port", async () => {
    const vacated = slot.vacate(3_000);
    expect([route(), asked()]).toEqual(["", ["drain 3000"]]);
    worker(0).exit();
    await vacated;
    expect(slot.portIsHeld).toBe(false);
    slot.startSuccessor(slot.port, observer);
    worker(1).ready();
    slot.promote();
    slot.commit(0);
    expect([route(), asked()[1]]).toEqual(["1.2", ""]);
  });

  it("starts on a spare port while a predecessor that drains holds the slot's own", async () => {
    succeed("promoted");
    slot.commit(5_000);
    worker(1).exit({ exitCode: 1 });
    clock.advance(100);
    await turn();
    expect(worker(2).start).toMatchObject({ port: 9_001 });
    worker(0).exit();
    worker(2).ready();
    expect(asked()[2]).toBe("open 3001");
  });

  it("ends all of them when stopped, and says so to whoever replaces", async () => {
    slot.startSuccessor(9_001, observer);
    const stopped = slot.stop(4_000);
    expect([told.at(-1), asked()]).toEqual(["failed: stopped", ["drain 4000", "terminate"]]);
    worker(0).exit();
    worker(1).exit();
    await stopped;
    slot.revert(0);
    clock.advance(60_000);
    expect([workers.length, clock.pending]).toEqual([2, 0]);
  });
});

describe("what workers are started as", () => {
  const observer = { ready: () => {}, failed: () => {} };
  const old = editionOf({ RELEASE: "old" });
  const next = editionOf({ RELEASE: "new" });
  const releases = (workers: readonly FakeWorker[]) => workers.map(({ start }) => start.edition.env["RELEASE"]);
  const crashed = { exitCode: 1, signal: null, spawnError: undefined };

  /** It has been promoted, and its predecessor stands by. */
  function promoted() {
    const made = testSlot({}, { edition: () => old });
    made.slot.start();
    made.workers[0]!.ready();
    made.slot.startSuccessor(9_001, observer, next);
    made.workers[1]!.ready();
    made.slot.promote();
    return made;
  }

  test("after a commit a crash is followed by one of the new edition", async () => {
    const { clock, slot, workers } = promoted();
    slot.commit(1_000);
    workers[1]!.observer.workerExited(crashed);
    clock.advance(100);
    await turn();
    expect(releases(workers)).toEqual(["old", "new", "new"]);
  });

  test("after a rollback by one of the old, and so it is if whoever stood by dies before", async () => {
    const { clock, slot, workers } = promoted();
    workers[0]!.observer.workerExited(crashed);
    slot.revert(1_000);
    clock.advance(100);
    await turn();
    expect(releases(workers)).toEqual(["old", "new", "old"]);
  });

  test("a crash before the successor takes over is followed by one of the old", async () => {
    const { clock, slot, workers } = testSlot({}, { edition: () => old });
    slot.start();
    workers[0]!.ready();
    slot.startSuccessor(9_001, observer, next);
    workers[0]!.observer.workerExited(crashed);
    workers[1]!.observer.workerExited(crashed);
    clock.advance(100);
    await turn();
    expect(releases(workers)).toEqual(["old", "new", "old"]);
  });
});

describe("a slot whose workers may be through with their work", () => {
  const start = () => {
    const events: WorkerEvent[] = [];
    const made = testSlot({ slotEvent: (event) => void events.push(event) }, { stopExitCodes: [0] });
    made.slot.start();
    return { ...made, reasons: () => events.flatMap((event) => (event.kind === "exit" ? event.reason : [])) };
  };

  it("leaves it at that, until somebody asks for it once more", () => {
    const { slot, workers, clock, reasons } = start();
    workers[0]!.ready();
    workers[0]!.exit({ exitCode: 0 });
    clock.advance(60_000);
    expect([reasons(), slot.isDone, slot.snapshot().state, workers.length]).toEqual([["done"], true, "done", 1]);
    slot.restart();
    expect([slot.isDone, workers.length]).toEqual([false, 2]);
  });

  it("also before they were ready; other codes, and signals, are crashes", () => {
    const { slot, workers, clock, reasons } = start();
    workers[0]!.exit({ exitCode: 1 });
    clock.advance(100);
    workers[1]!.exit({ signal: "SIGKILL" });
    clock.advance(100);
    workers[2]!.exit({ exitCode: 0 });
    expect([reasons(), slot.isDone]).toEqual([["crashed", "crashed", "done"], true]);
  });

  it("and whom we end has not done it", async () => {
    const { slot, workers, reasons } = start();
    workers[0]!.ready();
    const stopped = slot.stop(1_000);
    workers[0]!.exit({ exitCode: 0 });
    await stopped;
    expect([reasons(), slot.isDone]).toEqual([["stopped"], false]);
  });
});
