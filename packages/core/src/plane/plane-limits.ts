import { isDeepStrictEqual } from "node:util";
import { InFlightLimit, type InFlightRefusal } from "../front/proxy/in-flight-limit.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import { RequestLimit } from "../front/request-limit.ts";
import type { Clock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { InFlightStatus } from "../model/in-flight-status.ts";
import type { InFlightSettings } from "../options/in-flight-options.ts";
import type { RateLimitSettings } from "../options/rate-limit-options.ts";
import type { RouteSettings } from "../options/route-settings.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { sentError } from "./sent-error.ts";

export interface PlaneLimitOptions {
  readonly clock: Clock;
  readonly tell: (fact: PlaneFact) => void;
  /** Whose it is; undefined: everybody's who has none of their own. */
  readonly route?: string;
}

/** A limit whose refusals are told now and then. */
export function planeLimit(
  settings: RateLimitSettings | false,
  { clock, tell, route }: PlaneLimitOptions,
): RequestLimit | undefined {
  if (settings === false) return undefined;
  const { dryRun } = settings;
  let lastError: LbError;
  const refusals = new RefusalNotices(clock, (limited) => {
    tell({ kind: "requests-limited", ...(route !== undefined && { route }), dryRun, limited });
  });
  const failures = new RefusalNotices(clock, (failed) => {
    tell({ kind: "rate-limit-key-failed", error: sentError(lastError), failed });
  });
  return new RequestLimit({
    settings,
    clock,
    limited: () => refusals.note(),
    keyFailed: (error) => {
      lastError = error;
      failures.note();
    },
  });
}

/** Whose limit it is; neither: that of all that have no other. */
export interface InFlightScope {
  readonly route?: string;
  readonly backend?: string;
}

/** What was made by settings. */
interface Made<Settings, Limit> {
  readonly settings: Settings;
  readonly limit: Limit;
}

/** Limits by rate. Made anew by other settings, those that are as they were go on with what they have counted. */
export class PlaneRates {
  readonly #options: Pick<PlaneLimitOptions, "clock" | "tell">;
  readonly #made: Known<Made<RateLimitSettings, RequestLimit>>;

  constructor({ clock, tell }: Pick<PlaneLimitOptions, "clock" | "tell">, before?: PlaneRates) {
    this.#options = { clock, tell };
    this.#made = new Known(before === undefined ? undefined : before.#made);
  }

  /** `route`: whose it is; undefined: everybody's who has none of their own. Undefined: all may pass. */
  limit(settings: RateLimitSettings | false, route?: string): RequestLimit | undefined {
    if (settings === false) return undefined;
    return this.#made.of(route ?? "", (known) => {
      if (known !== undefined && isDeepStrictEqual(known.settings, settings)) return known;
      const limit = planeLimit(settings, { ...this.#options, ...(route !== undefined && { route }) })!;
      return { settings, limit };
    }).limit;
  }
}

/** How many requests may be in flight; those that are refused are told now and then. */
export class PlaneInFlight {
  readonly #options: Pick<PlaneLimitOptions, "clock" | "tell">;
  readonly #made: Known<Made<Limited, InFlightLimit> & { readonly scope: InFlightScope }>;

  /** `before`: those that took the place of which these do; they keep what they have in flight. */
  constructor({ clock, tell }: Pick<PlaneLimitOptions, "clock" | "tell">, before?: PlaneInFlight) {
    this.#options = { clock, tell };
    this.#made = new Known(before === undefined ? undefined : before.#made);
  }

  /** Undefined: any number. */
  limit({ maxRequestsInFlight, queue }: Limited, scope: InFlightScope = {}): InFlightLimit | undefined {
    if (maxRequestsInFlight === undefined || maxRequestsInFlight === false) return undefined;
    const settings = { maxRequestsInFlight, queue };
    return this.#made.of(JSON.stringify(scope), (known) => {
      if (known === undefined) return { settings, scope, limit: this.#begin(maxRequestsInFlight, queue, scope) };
      if (!isDeepStrictEqual(known.settings, settings)) known.limit.use({ maxInFlight: maxRequestsInFlight, queue });
      return { ...known, settings };
    }).limit;
  }

  #begin(maxInFlight: InFlightSettings, queue: Limited["queue"], scope: InFlightScope): InFlightLimit {
    const { clock, tell } = this.#options;
    const noticesOf = (reason: InFlightRefusal) =>
      new RefusalNotices(clock, (refused) =>
        tell({ kind: "requests-refused", reason, refused, limit: limit.most, ...scope }),
      );
    const notices = {
      "queue-full": noticesOf("queue-full"),
      "wait-timeout": noticesOf("wait-timeout"),
      overload: noticesOf("overload"),
    };
    const limit = new InFlightLimit({ maxInFlight, queue, clock, refused: (reason) => notices[reason].note() });
    return limit;
  }

  /** In the order in which they were made. */
  get all(): readonly InFlightStatus[] {
    return this.#made.all.map(({ limit, scope }) => ({ ...scope, ...limit.status }));
  }
}

/** What there is by now, found again among what there was; of several of one name by their order. */
class Known<One> {
  readonly #before: ReadonlyMap<string, One>;
  readonly #now = new Map<string, One>();

  constructor(before?: Known<One>) {
    this.#before = before === undefined ? new Map() : before.#now;
  }

  of(name: string, make: (known: One | undefined) => One): One {
    let key = name;
    for (let number = 2; this.#now.has(key); number += 1) key = `${name}\n${number}`;
    const one = make(this.#before.get(key));
    this.#now.set(key, one);
    return one;
  }

  get all(): readonly One[] {
    return [...this.#now.values()];
  }
}

type Limited = Pick<RouteSettings, "queue"> & Partial<Pick<RouteSettings, "maxRequestsInFlight">>;
