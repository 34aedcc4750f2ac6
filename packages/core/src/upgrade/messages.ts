import type { Estate } from "./estate.ts";

/** Tells a primary that it was started in place of another one, whose process this is. */
export const predecessorVariable = "LB_PREDECESSOR";

/** What a primary tells the one that is to take its place, over the channel of Node's own between them. */
export type ToSuccessor =
  | { readonly kind: "estate"; readonly estate: Estate }
  /** It is to accept connections, beside the one that tells it so. */
  | { readonly kind: "accept" }
  /** It has the cluster alone, and is the one that is found. */
  | { readonly kind: "alone" };

/** What that one tells: steps, each after the one before it, and in between how it gets on. */
export type ToPredecessor =
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: Step };

/** All instances are ready; connections are accepted; the `lb` command finds it. */
export type Step = "ready" | "accepts" | "found";
