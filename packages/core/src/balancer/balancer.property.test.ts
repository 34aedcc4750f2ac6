import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  activeDefaults,
  balancerDefaults,
  healthDefaults,
  passiveDefaults,
} from "../../test/support/default-settings.ts";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { ejectionCap } from "../health/ejection-history.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { FailureReason, Outcome } from "../model/outcome.ts";
import type { Random } from "../model/random.ts";
import { maglev, type Strategy, strategies } from "../strategies/index.ts";
import { Balancer, type Lease } from "./balancer.ts";

const POOL = 8;
const MAX_WAITING = 3;

const reason = fc.constantFrom<FailureReason>("connect", "timeout", "reset", "invalid-response");
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Outcome>({ kind: "success" }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("success" as const), latencyMs: fc.nat(500) }) },
  { weight: 5, arbitrary: reason.map((why) => ({ kind: "failure" as const, reason: why })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(200, 404, 500, 503).map((status) => ({ kind: "response" as const, status })),
  },
  { weight: 1, arbitrary: fc.constant<Outcome>({ kind: "cancelled" }) },
);
const slots = fc.uniqueArray(fc.nat(POOL - 1), { maxLength: POOL });
const nth = fc.nat(20);

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("acquire" as const), exclude: fc.option(slots) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("release" as const), nth, outcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("release again" as const), nth, outcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("observe" as const), nth, outcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("acquire at" as const), slot: fc.nat(POOL - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), exclude: fc.option(slots) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stop waiting" as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("update" as const), slots }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), slot: fc.nat(POOL - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("probe" as const), slot: fc.nat(POOL - 1), up: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(12_000) }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

// Tables are filled anew for nearly every step: maglev's is made small, bounded-load's cannot be.
const { "bounded-load": _, ...others } = strategies;
const factories: readonly ((options: { random: Random }) => Strategy)[] = Object.values({
  ...others,
  maglev: () => maglev({ tableSize: 251 }),
});

interface World {
  readonly factory: (typeof factories)[number];
  readonly maxEjectedShare: number;
  readonly panicThreshold: number;
  readonly slowStartMs: number;
  readonly requireFirstProbe: boolean;
}

const world: fc.Arbitrary<World> = fc.record({
  factory: fc.constantFrom(...factories),
  maxEjectedShare: fc.constantFrom(0, 0.3, 0.5, 1),
  panicThreshold: fc.constantFrom(0, 0.2, 0.5, 1),
  slowStartMs: fc.constantFrom(0, 5_000),
  requireFirstProbe: fc.boolean(),
});

/** What must be true of the balancer, kept in the plainest way: lists of all that was given out. */
class Model {
  readonly clock = new ManualClock();
  readonly balancer: Balancer;
  readonly pool = endpointsInSlots(POOL);
  readonly open: Lease[] = [];
  readonly released: Lease[] = [];
  readonly waiters: { cancel: () => void; ended: number; cancelled: boolean }[] = [];
  readonly drained = new Map<Endpoint, number>();
  readonly #maxEjectedShare: number;

  constructor({ factory, maxEjectedShare, panicThreshold, slowStartMs, requireFirstProbe }: World) {
    this.#maxEjectedShare = maxEjectedShare;
    const settings = {
      ...healthDefaults,
      passive: { ...passiveDefaults, on: ["connect", "timeout"] as const },
      active: { ...activeDefaults, path: "/", healthyAfter: 1, unhealthyAfter: 2, requireFirstProbe },
      maxEjectedShare,
      panicThreshold,
      slowStartMs,
    };
    this.balancer = new Balancer({
      strategy: factory({ random: seededRandom(3) }),
      health: new HealthTracker({ settings, clock: this.clock }),
      clock: this.clock,
      ...balancerDefaults,
      queue: { maxWaiting: MAX_WAITING, maxWaitMs: 6_000 },
    });
    this.balancer.subscribe((event) => {
      if (event.type === "drained") this.drained.set(event.endpoint, (this.drained.get(event.endpoint) ?? 0) + 1);
    });
  }

  apply(step: Action): void {
    const { balancer, pool } = this;
    switch (step.do) {
      case "acquire": {
        const exclude = step.exclude === null ? undefined : this.#set(step.exclude);
        const before = this.#candidates().filter((endpoint) => exclude?.has(endpoint) !== true);
        const found = balancer.acquire({ clientAddress: "10.0.0.1" }, exclude);
        assert.equal(found.kind === "lease", before.length > 0);
        if (found.kind === "lease") this.#took(found, before);
        return;
      }
      case "acquire at": {
        const lease = balancer.acquireAt(pool[step.slot]!);
        if (lease !== undefined) this.#took(lease, [pool[step.slot]!]);
        return;
      }
      case "release": {
        const [lease] = this.open.splice(step.nth % Math.max(1, this.open.length), 1);
        if (lease === undefined) return;
        this.released.push(lease);
        assert(lease.release(step.outcome));
        return;
      }
      case "release again":
        assert(!this.released[step.nth % Math.max(1, this.released.length)]?.release(step.outcome));
        return;
      case "observe":
        this.open[step.nth % Math.max(1, this.open.length)]?.observe(step.outcome);
        return;
      case "wait":
        this.#wait(step.exclude === null ? undefined : this.#set(step.exclude));
        return;
      case "stop waiting": {
        const waiter = this.waiters[step.nth % Math.max(1, this.waiters.length)];
        if (waiter === undefined) return;
        waiter.cancelled = true;
        waiter.cancel();
        return;
      }
      case "update":
        balancer.update([...this.#set(step.slots)]);
        return;
      case "drain":
        balancer.setDraining(pool[step.slot]!);
        return;
      case "probe":
        balancer.health.observeProbe(pool[step.slot]!, step.up);
        return;
      case "advance":
        this.clock.advance(step.ms);
        return;
    }
  }

  check(): void {
    const { roster, endpoints, waiting } = this.balancer.status();
    for (const { endpoint, inFlight, phase } of endpoints) {
      assert.equal(inFlight, this.open.filter((lease) => lease.endpoint === endpoint).length);
      if (phase === "drained") assert.equal(inFlight, 0);
    }
    for (const { endpoint } of this.open) assert(endpoints.some((status) => status.endpoint === endpoint));

    const serving = endpoints.filter(
      ({ endpoint, phase }) => phase === "serving" && roster.endpoints.includes(endpoint),
    );
    const ejected = serving.filter(({ health }) => health.kind === "ejected").length;
    assert(ejected <= ejectionCap(serving.length, this.#maxEjectedShare));
    const eligible = this.balancer.health.eligible();
    assert.equal(eligible.length > 0, serving.length > 0);
    for (const endpoint of eligible) assert(serving.some((status) => status.endpoint === endpoint));

    assert(waiting <= MAX_WAITING);
    assert.equal(waiting, this.waiters.filter(({ ended, cancelled }) => ended === 0 && !cancelled).length);
    for (const { ended } of this.waiters) assert(ended <= 1);
  }

  end(): void {
    for (const lease of this.open.splice(0)) assert(lease.release({ kind: "cancelled" }));
    for (const { inFlight } of this.balancer.status().endpoints) assert.equal(inFlight, 0);
    this.balancer.close();
    assert.equal(this.balancer.status().endpoints.length, 0);
    for (const { ended, cancelled } of this.waiters) assert(ended === 1 || cancelled);
    assert.equal(this.clock.pending, 0);
  }

  #candidates(): readonly Endpoint[] {
    return this.balancer.health.eligible();
  }

  #took(lease: Lease, allowed: readonly Endpoint[]): void {
    assert(allowed.includes(lease.endpoint));
    this.open.push(lease);
  }

  #wait(exclude: ReadonlySet<Endpoint> | undefined): void {
    const waiter = { cancel: () => {}, ended: 0, cancelled: false };
    this.waiters.push(waiter);
    waiter.cancel = this.balancer.acquireOrWait(
      {},
      {
        exclude,
        onLease: (lease) => {
          assert(!waiter.cancelled);
          waiter.ended += 1;
          this.#took(
            lease,
            this.#candidates().filter((endpoint) => exclude?.has(endpoint) !== true),
          );
        },
        onRefused: () => {
          assert(!waiter.cancelled);
          waiter.ended += 1;
        },
      },
    );
  }

  #set(list: readonly number[]): ReadonlySet<Endpoint> {
    return new Set(list.map((slot) => this.pool[slot]!));
  }
}

describe("Balancer, whatever happens in whatever order", () => {
  it("books each lease once, ejects within the cap, always has somebody eligible, and keeps its queue", () => {
    fc.assert(
      fc.property(world, fc.array(action, { maxLength: 100, size: "max" }), (settings, actions) => {
        const model = new Model(settings);
        model.balancer.update(model.pool.slice(0, 4));
        for (const step of actions) {
          model.apply(step);
          model.check();
        }
        model.end();
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});
