// A limit that follows the latency, before simulated programs, by a clock of the test's: what gets through in its client's time.
import { expect, test } from "vitest";
import { seededRandom } from "../../../test/support/seeded-random.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import type { Random } from "../../model/random.ts";
import { type InFlightOption, inFlightSchema } from "../../options/in-flight-options.ts";
import { parseOptions } from "../../options/validation.ts";
import { InFlightLimit, type InFlightRefusal } from "./in-flight-limit.ts";
import type { UnderWay } from "./under-way.ts";

interface Program {
  /** So many requests at a time; others wait in it, and it does not hear of clients that leave. */
  readonly workers: number;
  readonly serviceMs: (random: Random) => number;
}

interface Load {
  readonly perSecond: number;
  readonly forMs: number;
  readonly patienceMs: number;
}

interface Due {
  readonly at: number;
  call: () => void;
}

/** As the manual clock, for as many timers as there are requests. */
class EventClock implements Clock {
  readonly #heap: Due[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): Timer {
    const due: Due = { at: this.#now + ms, call };
    const heap = this.#heap;
    let place = heap.push(due) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && heap[parent]!.at > due.at; parent = (place - 1) >> 1) {
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = due;
    const cancel = () => {
      due.call = () => {};
    };
    return { cancel };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let [first] = this.#heap; first !== undefined && first.at <= until; [first] = this.#heap) {
      this.#drop();
      this.#now = first.at;
      first.call();
    }
    this.#now = until;
  }

  #drop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (child >= heap.length || heap[child]!.at >= last.at) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
  }
}

/** Clients that ask whatever becomes of others, and leave when they have waited too long. */
class Simulation {
  readonly clock = new EventClock();
  readonly refusals: InFlightRefusal[] = [];
  readonly limit: InFlightLimit | undefined;
  program: Program;
  good = 0;
  readonly #random = seededRandom(7);
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(program: Program, option: InFlightOption | undefined) {
    this.program = program;
    if (option === undefined) return;
    this.limit = new InFlightLimit({
      maxInFlight: parseOptions(inFlightSchema, option, "maxRequestsInFlight"),
      queue: { maxWaiting: 1_024, maxWaitMs: 5_000 },
      clock: this.clock,
      refused: (reason) => this.refusals.push(reason),
    });
  }

  /** How many a second were answered in time. */
  under({ perSecond, forMs, patienceMs }: Load): number {
    const from = this.clock.now();
    this.good = 0;
    for (let at = from; at < from + forMs; ) {
      at -= (Math.log(1 - this.#random()) * 1_000) / perSecond;
      this.clock.advance(at - this.clock.now());
      this.#ask(patienceMs);
    }
    return (this.good * 1_000) / (this.clock.now() - from);
  }

  #ask(patienceMs: number): void {
    let leave = () => {};
    const patience = this.clock.after(patienceMs, () => {
      leave();
      leave = () => {};
    });
    const enter = (request?: UnderWay) => {
      request?.attempted(true);
      let gone = false;
      leave = () => {
        gone = true;
        request?.over();
      };
      this.#serve(() => {
        if (gone) return;
        patience.cancel();
        this.good++;
        request?.answered(200);
        request?.over();
      });
    };
    const counted = this.limit?.take();
    if (this.limit === undefined || counted !== undefined) enter(counted);
    else leave = this.limit.wait({ enter, refuse: () => patience.cancel() });
  }

  #serve(done: () => void): void {
    this.#queue.push(done);
    this.#next();
  }

  #next(): void {
    const { workers, serviceMs } = this.program;
    if (this.#busy >= workers) return;
    const done = this.#queue.shift();
    if (done === undefined) return;
    this.#busy++;
    this.clock.after(serviceMs(this.#random), () => {
      this.#busy--;
      done();
      this.#next();
    });
  }
}

const steady = (ms: number) => () => ms;
const varied = (ms: number) => (random: Random) => -Math.log(1 - random()) * ms;
const patienceMs = 500;

const programs: readonly (Program & { readonly name: string; readonly capacity: number })[] = [
  { name: "two processors, 20 ms", workers: 2, serviceMs: steady(20), capacity: 100 },
  { name: "two processors, around 20 ms", workers: 2, serviceMs: varied(20), capacity: 100 },
  { name: "one processor, around 5 ms", workers: 1, serviceMs: varied(5), capacity: 200 },
  { name: "fifty connections, around 50 ms", workers: 50, serviceMs: varied(50), capacity: 1_000 },
  { name: "eight, one in ten slow", workers: 8, serviceMs: (r) => (r() < 0.9 ? 5 : 155), capacity: 400 },
];

test.each(programs)("$name: at three times what it can do, it does nine tenths of that; alone nothing", (program) => {
  const { capacity } = program;
  const load = { perSecond: capacity * 3, patienceMs };
  const alone = new Simulation(program, undefined);
  alone.under({ ...load, forMs: 5_000 });
  expect(alone.under({ ...load, forMs: 5_000 }) / capacity).toBeLessThan(0.05);

  const limited = new Simulation(program, "adaptive");
  const half = limited.under({ perSecond: capacity / 2, forMs: 5_000, patienceMs });
  expect(half / capacity).toBeGreaterThan(0.4);
  expect(limited.refusals.length).toBeLessThan(capacity / 20);
  // It comes down from where it may have got to, and lets what has piled up be done.
  limited.under({ ...load, forMs: 10_000 });
  expect(limited.under({ ...load, forMs: 20_000 }) / capacity).toBeGreaterThan(0.9);
  expect(new Set(limited.refusals)).toEqual(new Set(["overload"]));
  limited.refusals.length = 0;
  expect(limited.under({ perSecond: capacity / 2, forMs: 5_000, patienceMs }) / capacity).toBeGreaterThan(0.4);
  expect(limited.refusals.length).toBeLessThan(capacity / 5);
});

test("overload from the first request on is found out", () => {
  const limited = new Simulation({ workers: 1, serviceMs: steady(20) }, "adaptive");
  const load = { perSecond: 150, patienceMs };
  limited.under({ ...load, forMs: 15_000 });
  expect(limited.under({ ...load, forMs: 10_000 })).toBeGreaterThan(45);
});

test("a program that only waits is given as many as come", () => {
  const limited = new Simulation({ workers: 10_000, serviceMs: varied(100) }, "adaptive");
  for (const perSecond of [300, 1_000, 3_000]) limited.under({ perSecond, forMs: 3_000, patienceMs: 5_000 });
  limited.refusals.length = 0;
  // Over the times at which it is looked how fast it is without a load.
  expect(limited.under({ perSecond: 3_000, forMs: 70_000, patienceMs: 5_000 })).toBeGreaterThan(2_990);
  expect(limited.refusals.length).toBeLessThan(500);
});

test("a program that has become slower for good is not taken for one that has too much to do", () => {
  const limited = new Simulation({ workers: 1_000, serviceMs: varied(20) }, "adaptive");
  const load = { perSecond: 400, patienceMs: 5_000 };
  limited.under({ ...load, forMs: 10_000 });
  limited.program = { workers: 1_000, serviceMs: varied(200) };
  limited.under({ ...load, forMs: 10_000 });
  limited.refusals.length = 0;
  expect(limited.under({ ...load, forMs: 20_000 })).toBeGreaterThan(390);
});

test("it stays within its bounds", () => {
  const limited = new Simulation({ workers: 1, serviceMs: steady(100) }, { min: 3, max: 5 });
  expect(limited.limit!.most).toBe(5);
  for (let second = 0; second < 20; second++) {
    limited.under({ perSecond: 100, forMs: 1_000, patienceMs });
    // Fewer are let in for a moment, when it is looked how fast it is without a load.
    expect(limited.limit!.most).toBeLessThanOrEqual(5);
  }
  expect(limited.refusals.length).toBeGreaterThan(1_000);
});
