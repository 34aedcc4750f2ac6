import type { Clock, Timer } from "../../model/clock.ts";
import type { QuarantinedRequest } from "../../model/quarantined-request.ts";
import type { QuarantineSettings } from "../../options/quarantine-options.ts";
import type { Fingerprint } from "./fingerprint.ts";

/** What is to be done with a request. */
export type Standing =
  | { readonly kind: "trusted" }
  /** It is to have an instance for itself, for so long; undefined: as long as any suspect. */
  | { readonly kind: "suspected"; readonly trialMs: number | undefined }
  /** It is to be refused, for so long. */
  | { readonly kind: "quarantined"; readonly forMs: number };

export interface QuarantineOptions {
  readonly settings: QuarantineSettings;
  readonly clock: Clock;
  readonly told?: ((quarantined: QuarantinedRequest) => void) | undefined;
}

/** How a request lost its instance. */
export interface Death {
  /** It ended, or was still there and said nothing any more. */
  readonly how: "died" | "silent";
  /** Nothing else was with the instance, so that nothing else that we know of can have ended it. */
  readonly alone: boolean;
  /** How long the instance had the request. */
  readonly tookMs: number;
}

/** What is known against requests of one fingerprint. */
interface Suspicion {
  deaths: number;
  tookMs: number;
  at: number;
  verdict: { readonly kind: "open" } | { readonly kind: "guilty"; readonly until: number; readonly termMs: number };
  /** Those who wait for what becomes of another one like them. */
  readonly waiting: Set<() => void>;
}

/** So many are a proof, the last of them alone. A machine that stands still for a moment has all instances silent. */
const enough = { died: 2, silent: 3 };

const open = { kind: "open" } as const;
const trusted: Standing = { kind: "trusted" };

const maxRecords = 1_024;
/** Longer ones are not remembered: all heads together take 4 MiB at most. */
const maxHeadLength = 4_096;
/** What was in flight in a death, and did not come again, is forgotten after so long. */
export const suspicionMs = 600_000;
/** Who kills again when its term is over gets twice as much, up to this. */
const maxTermMs = 3_600_000;
/** One that has outlived two trials is watched for as long as its victims lived, and half of that more. */
const longTrial = { afterDeaths: 2, factor: 1.5, maxMs: 5_000 };

/**
 * Knows requests that were with an instance when that died for no reason we know. One of them is the reason, if any is. So each is
 * tried alone when it comes again: who is answered is acquitted, and who has its second instance die while it is alone there is
 * the one, and is kept from the others for a while. Bounded in number and time. An innocent request gets there only if its instance
 * dies of something else, twice, the second time while it is alone there, which is a quarter of a second as a rule.
 */
export class Quarantine {
  readonly #settings: QuarantineSettings;
  readonly #clock: Clock;
  readonly #told: (quarantined: QuarantinedRequest) => void;
  /** By head, then by body: whether there is anything against a request at all is known from its head. */
  readonly #records = new Map<string, Map<string, Suspicion>>();
  #count = 0;
  #sweep: Timer | undefined;

  constructor({ settings, clock, told = () => {} }: QuarantineOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#told = told;
  }

  /** There is nothing against anybody, which is cheap to know. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** There may be something against a request with this head: its fingerprint would tell. */
  knows(head: string): boolean {
    return this.#records.has(head);
  }

  standing(print: Fingerprint): Standing {
    const record = this.#find(print);
    if (record === undefined) return trusted;
    const { verdict } = record;
    const forMs = verdict.kind === "guilty" ? verdict.until - this.#clock.now() : 0;
    if (forMs > 0 && this.#settings.action === "refuse") return { kind: "quarantined", forMs };
    const { afterDeaths, factor, maxMs } = longTrial;
    const trialMs = record.deaths < afterDeaths ? undefined : Math.min(maxMs, record.tookMs * factor);
    return { kind: "suspected", trialMs };
  }

  /** An instance died under it. True: it is in quarantine now, and is not to be tried again. */
  blame(print: Fingerprint, { how, alone, tookMs }: Death): boolean {
    if (print.head.length > maxHeadLength) return false;
    const record = this.#recordOf(print);
    const now = this.#clock.now();
    record.deaths += 1;
    record.tookMs = Math.max(record.tookMs, tookMs);
    record.at = now;
    if (!alone || record.deaths < enough[how]) return false;
    const { verdict } = record;
    const termMs = verdict.kind === "guilty" ? Math.min(maxTermMs, verdict.termMs * 2) : this.#settings.termMs;
    record.verdict = { kind: "guilty", until: now + termMs, termMs };
    this.#told({ ...named(print.head), deaths: record.deaths, forMs: termMs });
    this.#settle(record);
    return true;
  }

  /** An instance has answered it. */
  acquit(print: Fingerprint): void {
    const record = this.#find(print);
    if (record === undefined) return;
    this.#forget(print, record);
    this.#settle(record);
  }

  /** Calls once, when it is known what to do with those like it; the returned call waits no longer. */
  whenSettled(print: Fingerprint, settled: () => void): () => void {
    const waiting = this.#find(print)?.waiting;
    waiting?.add(settled);
    return () => void waiting?.delete(settled);
  }

  close(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#records.clear();
    this.#count = 0;
  }

  #find({ head, body }: Fingerprint): Suspicion | undefined {
    return this.#records.get(head)?.get(body);
  }

  #recordOf(print: Fingerprint): Suspicion {
    const found = this.#find(print);
    if (found !== undefined) return found;
    if (this.#count >= maxRecords) this.#forgetOldest();
    const record: Suspicion = { deaths: 0, tookMs: 0, at: 0, verdict: open, waiting: new Set() };
    const bodies = this.#records.get(print.head) ?? new Map<string, Suspicion>();
    this.#records.set(print.head, bodies.set(print.body, record));
    this.#count += 1;
    this.#sweep ??= this.#clock.after(suspicionMs, () => this.#forgetOld());
    return record;
  }

  #settle({ waiting }: Suspicion): void {
    const calls = [...waiting];
    waiting.clear();
    for (const call of calls) call();
  }

  #forget({ head, body }: Fingerprint, record: Suspicion): void {
    const bodies = this.#records.get(head);
    if (bodies?.get(body) !== record) return;
    bodies.delete(body);
    if (bodies.size === 0) this.#records.delete(head);
    this.#count -= 1;
  }

  *#all(): Iterable<readonly [Fingerprint, Suspicion]> {
    for (const [head, bodies] of this.#records) for (const [body, record] of bodies) yield [{ head, body }, record];
  }

  #forgetOldest(): void {
    let oldest: readonly [Fingerprint, Suspicion] | undefined;
    for (const one of this.#all()) if (oldest === undefined || one[1].at < oldest[1].at) oldest = one;
    if (oldest === undefined) return;
    this.#forget(...oldest);
    this.#settle(oldest[1]);
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [print, record] of [...this.#all()]) {
      const { verdict, at } = record;
      const last = verdict.kind === "guilty" ? verdict.until : at;
      if (now - last < suspicionMs) continue;
      this.#forget(print, record);
      this.#settle(record);
    }
    this.#sweep = this.isEmpty ? undefined : this.#clock.after(suspicionMs / 10, () => this.#forgetOld());
  }
}

function named(head: string): Pick<QuarantinedRequest, "method" | "url"> {
  const space = head.indexOf(" ");
  const [url = ""] = head.slice(space + 1).split("?", 1);
  return { method: head.slice(0, space), url };
}
