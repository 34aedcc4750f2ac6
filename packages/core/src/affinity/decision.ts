/** What in a request an affinity goes by; the name of its rule in the options. */
export type AffinitySource = "cookie" | "ip" | "header" | "query" | "key" | "socket.io";

/** This slot is the one, if it can still take requests; else see `Affinity.decideAfter`. */
export interface SlotDecision {
  readonly kind: "slot";
  readonly slot: number;
  /**
   * The session lives in this incarnation's memory: while that lives, draining included, no other endpoint can serve
   * the request. Undefined: whichever endpoint takes the slot's traffic now.
   */
  readonly incarnation: number | undefined;
  readonly source: AffinitySource;
  /** Position of the rule that decided. */
  readonly rule: number;
  readonly cookie: CookieEffect;
}

/** Whoever a consistent hash of `key` gives among the eligible: equal keys meet at one endpoint. */
export interface KeyDecision {
  readonly kind: "key";
  /** Never empty; comes from the client, so of any length that the limits on a request allow. */
  readonly key: string;
  readonly source: AffinitySource;
  readonly cookie: Exclude<CookieEffect, "keep">;
}

/** The request says nothing of where it belongs: the strategy chooses. */
export interface NoDecision {
  readonly kind: "none";
  readonly cookie: Exclude<CookieEffect, "keep">;
}

export type AffinityDecision = SlotDecision | KeyDecision | NoDecision;

/**
 * What the response is to do about our cookie:
 * - `leave`: nothing, because there is none, or because what decided goes before it;
 * - `keep`: the client holds a good one, so a new one only if another slot answers in the end;
 * - `set`: a new one for the slot that answers.
 */
export type CookieEffect = "leave" | "keep" | "set";
