import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { noRequests } from "../../facts/request-counts.ts";
import { sentCounts } from "../../facts/sent-counts.ts";
import { countedNotice, handshakesNotice, reportNotice } from "../../ipc/handoff-messages.ts";
import { DeadlineWheel } from "../deadline-wheel.ts";
import { HandoffLane, type HandoffLaneOptions, type Traveller } from "./handoff-lane.ts";

type Sent = { readonly message: object; readonly done: (error: Error | null) => void };

/** A worker process as its lane sees it; it acknowledges when told to. */
class FakeChild extends EventEmitter {
  connected = true;
  readonly sent: Sent[] = [];

  send(message: object, ...rest: unknown[]): boolean {
    this.sent.push({ message, done: rest.at(-1) as Sent["done"] });
    return true;
  }

  acknowledge(): void {
    this.emit("internalMessage", { cmd: "NODE_HANDLE_ACK" });
  }

  refuse(): void {
    this.emit("internalMessage", { cmd: "NODE_HANDLE_NACK" });
  }

  get connections(): number {
    return this.sent.filter(({ message }) => "name" in message).length;
  }
}

class FakeTraveller implements Traveller {
  readonly socket = Object.assign(new Socket(), { _handle: { readStop: () => 0, readStart: () => 0, close() {} } });
  readonly name: string;
  givenUp = false;
  diverts = false;
  fate: "on its way" | "arrived" | "stranded" | "diverted" = "on its way";

  constructor(name: string) {
    this.name = name;
  }

  order(): object {
    return { name: this.name };
  }

  arrived(): void {
    expect(this.fate).toBe("on its way");
    this.fate = "arrived";
  }

  stranded(): void {
    expect(this.fate).toBe("on its way");
    this.fate = "stranded";
  }

  turnBack(): boolean {
    expect(this.fate).toBe("on its way");
    if (this.diverts) this.fate = "diverted";
    return this.diverts;
  }

  divert(): boolean {
    expect(this.fate).toBe("on its way");
    if (this.diverts) this.fate = "diverted";
    return this.diverts;
  }
}

function set({ child = new FakeChild(), crowdedAt = 10 }: { child?: FakeChild; crowdedAt?: number } = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const lane = new HandoffLane({
    endpoint: { id: "0.1", slot: 0, incarnation: 1, weight: 1, address: { kind: "unix", path: "" } },
    child: child as unknown as HandoffLaneOptions["child"],
    wheel: new DeadlineWheel(clock),
    settings: { crowdedAt, stallMs: 250 },
    books: {
      begun: (count) => told.push(`begun ${count}`),
      ended: (_, count) => told.push(`ended ${count}`),
      unanswered() {},
    },
    observer: {
      connectionReturned: () => told.push("returned"),
      linesReported: ({ text }) => told.push(`lines ${text}`),
      requestsReported: ({ unanswered }) => told.push(`counted ${unanswered} unanswered`),
      handshakesReported: (listener, made) => told.push(`handshakes at ${listener} ${JSON.stringify(made)}`),
      loadReported: ({ connections }) => told.push(`connections ${connections}`),
      cannotReturn: (detail) => told.push(`cannot return: ${detail}`),
      messageDropped: () => told.push("dropped"),
      healthAsked: () => undefined,
    },
  });
  const travellers = Array.from({ length: 5 }, (_, n) => new FakeTraveller(`${n}`));
  return { clock, told, child, lane, travellers };
}

const fates = (travellers: readonly FakeTraveller[]) => travellers.map(({ fate }) => fate);

test("one connection travels at a time, the next when it was acknowledged", () => {
  const { child, lane, travellers } = set();
  for (const traveller of travellers) expect(lane.offer(traveller)).toBe(true);
  expect(child.connections).toBe(1);
  expect(lane.unconfirmed).toBe(5);
  for (let n = 1; n <= 5; n++) {
    child.acknowledge();
    expect(fates(travellers).filter((fate) => fate === "arrived")).toHaveLength(n);
  }
  expect(child.connections).toBe(5);
  expect(lane.unconfirmed).toBe(0);
  child.acknowledge();
  expect(child.connections).toBe(5);
});

test("a crowd is not refused, and those who have a choice are to go elsewhere", () => {
  const { lane, travellers } = set({ crowdedAt: 2 });
  expect(travellers.map((traveller) => [lane.accepting, lane.offer(traveller)])).toEqual([
    [true, true],
    [true, true],
    [true, true],
    [false, true],
    [false, true],
  ]);
  expect(lane.unconfirmed).toBe(5);
});

test("a worker without descriptors left, and a send that fails, strand that one connection only", () => {
  const { child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  child.refuse();
  expect(fates(travellers).slice(0, 2)).toEqual(["stranded", "on its way"]);
  child.sent[1]!.done(new Error("EPIPE"));
  expect(fates(travellers).slice(0, 3)).toEqual(["stranded", "stranded", "on its way"]);
  child.acknowledge();
  expect(travellers[2]!.fate).toBe("arrived");
});

test("clients that left meanwhile are not sent", () => {
  const { child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  travellers[1]!.givenUp = true;
  travellers[2]!.socket.destroy();
  child.acknowledge();
  expect(child.sent.map(({ message }) => message)).toEqual([{ name: "0" }, { name: "3" }]);
});

test("a stall sends those elsewhere who can go, when they can, and ends with the next acknowledgement", () => {
  const { clock, told, child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  for (const traveller of [travellers[0]!, travellers[2]!, travellers[4]!]) traveller.diverts = true;
  clock.advance(200);
  expect(lane.accepting).toBe(true);
  clock.advance(200);
  expect(lane.accepting).toBe(false);
  // The first is in the lane and cannot be called back.
  expect(fates(travellers)).toEqual(["on its way", "on its way", "diverted", "on its way", "diverted"]);
  const late = new FakeTraveller("late");
  expect(lane.offer(late)).toBe(true);
  clock.advance(10_000);
  expect(told).toEqual([]);
  // Where it belongs is not well any more.
  travellers[3]!.diverts = true;
  clock.advance(400);
  expect(fates(travellers)).toEqual(["on its way", "on its way", "diverted", "diverted", "diverted"]);
  child.acknowledge();
  expect(lane.accepting).toBe(true);
  child.acknowledge();
  child.acknowledge();
  expect([...fates(travellers), late.fate]).toEqual([
    "arrived",
    "arrived",
    "diverted",
    "diverted",
    "diverted",
    "arrived",
  ]);
  expect(clock.pending).toBeLessThanOrEqual(1);
});

test("of a worker that has ended, what it wrote before still counts", () => {
  const { child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  child.emit("exit", null, "SIGKILL");
  expect(fates(travellers)).toEqual(["on its way", ...new Array(4).fill("stranded")]);
  expect(lane.offer(new FakeTraveller("late"))).toBe(false);
  child.acknowledge();
  expect(travellers[0]!.fate).toBe("arrived");
  child.emit("close", null, "SIGKILL");
  expect(child.listenerCount("close") + child.listenerCount("exit") + child.listenerCount("disconnect")).toBe(0);
});

test.for(["close", "disconnect"])("without an acknowledgement it is stranded when all was read: %s", (event) => {
  const { child, lane, travellers } = set();
  lane.offer(travellers[0]!);
  if (event === "close") child.emit("exit", null, "SIGKILL");
  expect(travellers[0]!.fate).toBe("on its way");
  child.emit(event);
  expect(travellers[0]!.fate).toBe("stranded");
});

test("words that never end are waited for no longer than a second", () => {
  const { clock, child, lane, travellers } = set();
  lane.offer(travellers[0]!);
  child.emit("exit", null, "SIGKILL");
  clock.advance(900);
  expect(travellers[0]!.fate).toBe("on its way");
  clock.advance(300);
  expect(travellers[0]!.fate).toBe("stranded");
});

test("a worker that closes its channel while Node awaits an acknowledgement is found out", () => {
  const { clock, child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  child.connected = false;
  expect(lane.accepting).toBe(false);
  expect(lane.offer(new FakeTraveller("late"))).toBe(false);
  clock.advance(400);
  expect(new Set(fates(travellers))).toEqual(new Set(["stranded"]));
});

test("messages: the app's are left alone, ours are told", () => {
  const { told, child, lane } = set();
  expect(lane.receive({ hello: "app" }, undefined)).toBe(false);
  expect(lane.receive({ "@lb/core/handoff": 1 }, undefined)).toBe(true);
  expect(told.splice(0)).toEqual(["dropped"]);
  lane.receive({ "@lb/core/handoff": { detail: "old" } }, undefined);
  lane.receive(
    reportNotice({
      inFlight: 2,
      unanswered: 0,
      succeeded: 1,
      errors: [],
      reset: 0,
      cancelled: 0,
      meanLatencyMs: 1,
      maxLatencyMs: 1,
      connections: 9,
      relayed: 0,
      tunnels: 0,
      loopLagMs: 0,
    }),
    undefined,
  );
  expect(told).toEqual(["cannot return: old", "begun 3", "ended 1", "connections 9"]);
  lane.receive(countedNotice(sentCounts({ ...noRequests, unanswered: 4 })), undefined);
  lane.receive(countedNotice({ app: [1] }), undefined);
  lane.receive(handshakesNotice(1, { full: 2, refused: 1 }), undefined);
  expect(told.splice(4)).toEqual(["counted 4 unanswered", "dropped", 'handshakes at 1 {"full":2,"refused":1}']);
  lane.requestReturn(3);
  expect(child.sent.at(-1)!.message).toEqual({ cmd: "NODE_LB", "@lb/core/handoff": { most: 3 } });
  child.emit("disconnect");
  expect(told.at(-1)).toBe("ended 2");
});

test("BAD-INPUTS 116: a connection that comes back without its socket is told of, and the next may come", () => {
  const { told, child, lane } = set();
  lane.receive({ "@lb/core/handoff": "returned" }, undefined);
  expect(told.splice(0)).toEqual(["dropped"]);
  expect(child.sent.map(({ message }) => message)).toEqual([{ cmd: "NODE_LB", "@lb/core/handoff": "taken" }]);
  const socket = new Socket();
  lane.receive({ "@lb/core/handoff": "returned" }, socket);
  expect(told).toEqual(["returned"]);
  expect(socket.allowHalfOpen).toBe(true);
});

test("who queues for a worker that leaves goes elsewhere, but for whom it belongs to", () => {
  const { child, lane, travellers } = set();
  for (const traveller of travellers) lane.offer(traveller);
  for (const index of [1, 3]) travellers[index]!.diverts = true;
  travellers[4]!.givenUp = true;
  lane.leave();
  expect(fates(travellers)).toEqual(["on its way", "diverted", "on its way", "diverted", "on its way"]);
  child.acknowledge();
  child.acknowledge();
  expect(fates(travellers)).toEqual(["arrived", "diverted", "arrived", "diverted", "on its way"]);
  expect(child.connections).toBe(2);
});
