/** What a request or a connection came to. `wrong`: it looked complete, and was not what the app sends. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number }
  /** Broken off by the other side, or never begun. */
  | { readonly kind: "cut" | "wrong" | "hung"; readonly detail: string }
  /** Closed by the other side, in so many words. */
  | { readonly kind: "closed"; readonly code: number };

export const kinds = [
  "get",
  "put",
  "post",
  "upload",
  "stream",
  "events",
  "websocket",
  "polling session",
  "websocket session",
  "block",
  "crash",
  "poison get",
  "poison post",
] as const;

export type Kind = (typeof kinds)[number];

/** One request, or one connection that lasts, as its client saw it. Times are those of `now()`. */
export interface Entry {
  readonly id: string;
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
  readonly outcome: Outcome;
  /** Whose answer had begun to arrive. */
  readonly answeredBy?: number | undefined;
  /** Who answered the request before it on the same connection. */
  readonly keptBy?: number | undefined;
}
