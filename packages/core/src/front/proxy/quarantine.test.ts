import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { BodyFraming } from "../../http/body-framing.ts";
import type { QuarantinedRequest } from "../../model/quarantined-request.ts";
import type { QuarantineSettings } from "../../options/quarantine-options.ts";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import { type Death, Quarantine, suspicionMs } from "./quarantine.ts";
import { RequestReplay } from "./request-replay.ts";

function begin(settings: Partial<QuarantineSettings> = {}) {
  const clock = new ManualClock();
  const told: QuarantinedRequest[] = [];
  const quarantine = new Quarantine({
    settings: { action: "refuse", termMs: 60_000, ...settings },
    clock,
    told: (one) => void told.push(one),
  });
  return { clock, told, quarantine };
}

const print = (head: string, body = ""): Fingerprint => ({ head, body });
const poison = print("POST shop.example/import?token=secret", "12 abc");
const inCompany: Death = { how: "died", alone: false, tookMs: 10 };
const alone: Death = { how: "died", alone: true, tookMs: 10 };

describe("FAULTS 76: requests that end their instances", () => {
  test("the second death, alone, is the proof; the term is over after a while, and doubles", () => {
    const { clock, told, quarantine } = begin();
    expect(quarantine.isEmpty).toBe(true);
    expect(quarantine.blame(poison, inCompany)).toBe(false);
    expect(quarantine.knows(poison.head)).toBe(true);
    expect(quarantine.standing(poison)).toEqual({ kind: "suspected", trialMs: undefined });
    expect(quarantine.blame(poison, alone)).toBe(true);
    expect(told).toEqual([{ method: "POST", url: "shop.example/import", deaths: 2, forMs: 60_000 }]);
    clock.advance(59_000);
    expect(quarantine.standing(poison)).toEqual({ kind: "quarantined", forMs: 1_000 });
    expect(quarantine.standing(print(poison.head, "12 other"))).toEqual({ kind: "trusted" });
    clock.advance(1_000);
    expect(quarantine.standing(poison)).toMatchObject({ kind: "suspected" });
    expect(quarantine.blame(poison, alone)).toBe(true);
    expect(quarantine.standing(poison)).toEqual({ kind: "quarantined", forMs: 120_000 });
    clock.advance(120_000);
    quarantine.acquit(poison);
    expect(quarantine.standing(poison)).toEqual({ kind: "trusted" });
    expect(quarantine.isEmpty).toBe(true);
  });

  test("deaths in company prove nothing, however many; one that takes its time is watched for longer", () => {
    const { quarantine } = begin();
    for (let n = 0; n < 10; n += 1) expect(quarantine.blame(poison, { ...inCompany, tookMs: 1_000 })).toBe(false);
    expect(quarantine.standing(poison)).toEqual({ kind: "suspected", trialMs: 1_500 });
    quarantine.blame(poison, { ...inCompany, tookMs: 60_000 });
    expect(quarantine.standing(poison)).toEqual({ kind: "suspected", trialMs: 5_000 });
  });

  test("silence has to be there three times", () => {
    const { quarantine } = begin();
    const silent: Death = { how: "silent", alone: true, tookMs: 2_000 };
    expect([quarantine.blame(poison, silent), quarantine.blame(poison, silent)]).toEqual([false, false]);
    expect(quarantine.blame(poison, silent)).toBe(true);
  });

  test("isolated ones are tried alone each time", () => {
    const { quarantine } = begin({ action: "isolate" });
    quarantine.blame(poison, alone);
    expect(quarantine.blame(poison, alone)).toBe(true);
    expect(quarantine.standing(poison)).toMatchObject({ kind: "suspected" });
  });

  test("who waits for one like it is called once, when that is answered, found guilty or forgotten", () => {
    const { clock, quarantine } = begin();
    let calls = 0;
    const count = () => {
      calls += 1;
    };
    quarantine.blame(poison, inCompany);
    quarantine.whenSettled(poison, count);
    quarantine.whenSettled(poison, () => expect.unreachable())();
    quarantine.blame(poison, alone);
    expect(calls).toBe(1);
    quarantine.whenSettled(poison, count);
    quarantine.acquit(poison);
    expect(calls).toBe(2);
    quarantine.blame(poison, inCompany);
    quarantine.whenSettled(poison, count);
    clock.advance(suspicionMs);
    expect(calls).toBe(3);
    expect(quarantine.isEmpty).toBe(true);
  });

  test("what is remembered is bounded: the oldest goes, and heads without end are none of it", () => {
    const { clock, quarantine } = begin();
    for (let n = 0; n < 1_100; n += 1) {
      quarantine.blame(print(`GET a/${n}`), inCompany);
      clock.advance(1);
    }
    expect(quarantine.knows("GET a/75")).toBe(false);
    expect(quarantine.knows("GET a/76")).toBe(true);
    const long = print(`GET a/${"x".repeat(5_000)}`);
    quarantine.blame(long, alone);
    expect(quarantine.knows(long.head)).toBe(false);
  });
});

/**
 * Instances, each with requests in flight, of which some are poison. As in the front: all that were there when an instance died are blamed;
 * a request against which there is something gets an instance without company, one at a time.
 */
function simulate(
  draws: readonly number[],
  { poisons, unrelatedDeaths }: { poisons: number; unrelatedDeaths: boolean },
) {
  const { clock, quarantine } = begin();
  const convicted = new Set<number>();
  const victims = new Map<number, number>();
  const kinds = 12;
  const prints = Array.from({ length: kinds }, (_, kind) => print(`GET a/${kind}`));
  const isPoison = (kind: number) => kind < poisons;
  let innocentsHit = 0;
  const die = (there: readonly number[], tried: boolean) => {
    for (const kind of there) {
      victims.set(kind, (victims.get(kind) ?? 0) + 1);
      if (quarantine.blame(prints[kind]!, { how: "died", alone: tried, tookMs: 5 })) convicted.add(kind);
    }
  };
  for (let at = 0; at + 4 < draws.length; at += 4) {
    clock.advance(50);
    const batch = [...new Set(draws.slice(at, at + 3).map((draw) => draw % kinds))];
    const dies = unrelatedDeaths && draws[at + 3]! % 5 === 0;
    const company: number[] = [];
    for (const kind of batch) {
      const standing = quarantine.standing(prints[kind]!);
      if (standing.kind === "quarantined") {
        if (!isPoison(kind)) innocentsHit += 1;
      } else if (standing.kind === "trusted") company.push(kind);
      else if (isPoison(kind)) die([kind], true);
      else quarantine.acquit(prints[kind]!);
    }
    if (dies || company.some(isPoison)) die(company, false);
    else for (const kind of company) quarantine.acquit(prints[kind]!);
  }
  return { convicted, innocentsHit, victims };
}

test("no innocent request is refused, whatever dies around it, and no poison has more than two victims", () => {
  const draws = fc.array(fc.nat(1_000), { minLength: 200, maxLength: 400 });
  fc.assert(
    fc.property(draws, fc.integer({ min: 0, max: 4 }), fc.boolean(), (drawn, poisons, unrelatedDeaths) => {
      const { convicted, innocentsHit, victims } = simulate(drawn, { poisons, unrelatedDeaths });
      expect(innocentsHit).toBe(0);
      for (const kind of convicted) expect(kind).toBeLessThan(poisons);
      for (let kind = 0; kind < poisons; kind += 1) expect(victims.get(kind) ?? 0).toBeLessThanOrEqual(2);
    }),
  );
});

test("a body is known again however it comes in pieces, kept or let go, and another body is not", () => {
  const of = (framing: BodyFraming, pieces: readonly Buffer[], maxBytes: number) => {
    const replay = new RequestReplay();
    replay.reset(maxBytes);
    for (const piece of pieces) replay.keepWithinLimit(piece);
    return fingerprint({ method: "POST", host: "a", target: "/b", framing }, replay.beginning);
  };
  const cut = (body: Buffer, at: readonly number[]) => {
    const ends = [...at.map((one) => one % body.length), body.length].sort((one, other) => one - other);
    return ends.map((end, n) => body.subarray(ends[n - 1] ?? 0, end)).filter(({ length }) => length > 0);
  };
  const body = fc.uint8Array({ minLength: 1, maxLength: 40_000 }).map((octets) => Buffer.from(octets));
  const cuts = fc.array(fc.nat(40_000), { maxLength: 6 });
  const limit = fc.constantFrom(0, 100, 16_384, 65_536);
  fc.assert(
    fc.property(body, cuts, cuts, limit, limit, (whole, one, other, kept, keptToo) => {
      const framing = { kind: "length", bytes: whole.length } as const;
      const known = of(framing, cut(whole, one), kept);
      expect(of(framing, cut(whole, other), keptToo)).toEqual(known);
      const changed = Buffer.from(whole);
      changed[0]! ^= 1;
      expect(of(framing, [changed], kept)).not.toEqual(known);
      expect(of({ kind: "length", bytes: whole.length + 1 }, [whole], kept)).not.toEqual(known);
    }),
  );
});
