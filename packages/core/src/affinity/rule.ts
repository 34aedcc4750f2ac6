import type { RequestView } from "../model/request-view.ts";
import type { AffinityDecision, CookieEffect } from "./decision.ts";

/** One way to tell where a request belongs. */
export interface Rule {
  /** Undefined: this request has nothing of the kind. */
  decide(request: RequestView): AffinityDecision | undefined;
}

/** The place of a rule among the others. */
export interface RulePlace {
  readonly position: number;
  /** What its decisions say of the cookie: `leave` before the cookie's rule, `set` after it. */
  readonly cookie: Exclude<CookieEffect, "keep">;
}
