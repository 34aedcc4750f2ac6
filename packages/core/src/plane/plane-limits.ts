import { InFlightLimit, type InFlightRefusal } from "../front/proxy/in-flight-limit.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import { RequestLimit } from "../front/request-limit.ts";
import type { Clock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { InFlightStatus } from "../model/in-flight-status.ts";
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

/** How many requests may be in flight; those that are refused are told now and then. */
export class PlaneInFlight {
  readonly #options: Pick<PlaneLimitOptions, "clock" | "tell">;
  readonly #limits: { readonly limit: InFlightLimit; readonly scope: InFlightScope }[] = [];

  constructor({ clock, tell }: Pick<PlaneLimitOptions, "clock" | "tell">) {
    this.#options = { clock, tell };
  }

  /** Undefined: any number. */
  limit({ maxRequestsInFlight, queue }: Limited, scope: InFlightScope = {}): InFlightLimit | undefined {
    if (maxRequestsInFlight === undefined || maxRequestsInFlight === false) return undefined;
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
    const limit = new InFlightLimit({
      maxInFlight: maxRequestsInFlight,
      queue,
      clock,
      refused: (reason) => notices[reason].note(),
    });
    this.#limits.push({ limit, scope });
    return limit;
  }

  /** In the order in which they were made. */
  get all(): readonly InFlightStatus[] {
    return this.#limits.map(({ limit, scope }) => ({ ...scope, ...limit.status }));
  }
}

type Limited = Pick<RouteSettings, "queue"> & Partial<Pick<RouteSettings, "maxRequestsInFlight">>;
