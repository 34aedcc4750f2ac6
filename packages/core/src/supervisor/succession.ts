import type { StartError } from "../model/start-error.ts";
import type { IncarnationExit } from "./incarnation.ts";

/**
 * Who has a slot, and who is to have it after. The holder serves, is to serve, or did so until its end began; a slot
 * may be without one.
 *
 * ```
 * none ─▶ starting ─▶ canary ─▶ promoted ─▶ none      the successor holds it, who stood by leaves
 *            └───────────────────▶ │
 *                                  └─▶ given-back ─▶ none      the holder is the one of before
 * ```
 *
 * From each of them a successor that is taken back, or whose process ends, leads to `none` with the holder of before.
 */
export type Succession<Worker> =
  | { readonly kind: "none"; readonly holder: Worker | undefined }
  /** Until the successor takes over, nothing changes for whoever serves. */
  | Pending<"starting", Worker>
  /** The successor gets some of the traffic. */
  | Pending<"canary", Worker>
  /** The successor holds the slot. Whoever did before stands by, if it still can serve. */
  | {
      readonly kind: "promoted";
      readonly successor: Successor<Worker>;
      readonly standby: Worker | undefined;
    }
  /** The successor left service by itself, so that the slot is back with whoever stood by; how it ends is awaited. */
  | Pending<"given-back", Worker>;

interface Pending<Kind, Worker> {
  readonly kind: Kind;
  readonly holder: Worker | undefined;
  readonly successor: Successor<Worker>;
}

export interface Successor<Worker> {
  readonly worker: Worker;
  readonly observer: SuccessorObserver;
}

/** Why a successor does not take a slot over, or not for good. */
export type SuccessorFailure =
  | { readonly kind: "not-started"; readonly error: StartError }
  | { readonly kind: "exited"; readonly exit: IncarnationExit }
  /** It was asked to end by a signal from outside, and drains. */
  | { readonly kind: "retired" }
  /** The slot is being stopped. */
  | { readonly kind: "stopped" };

/** `failed` is told at most once, and nothing after it, `commit` and `revert`. */
export interface SuccessorObserver {
  ready(): void;
  /** The slot is in the hands of whoever served before, if that one still can, else of the restart policy. */
  failed(failure: SuccessorFailure): void;
}

export function holderOf<Worker>(succession: Succession<Worker>): Worker | undefined {
  return succession.kind === "promoted" ? succession.successor.worker : succession.holder;
}

/** All who have a part in it, the holder first. */
export function membersOf<Worker>(succession: Succession<Worker>): readonly Worker[] {
  switch (succession.kind) {
    case "none":
      return those(succession.holder);
    case "starting":
    case "canary":
    case "given-back":
      return those(succession.holder, succession.successor.worker);
    case "promoted":
      return those(succession.successor.worker, succession.standby);
  }
}

/** Those to whom the slot's traffic goes. */
export function takersOf<Worker>(succession: Succession<Worker>): readonly Worker[] {
  return succession.kind === "canary" ? membersOf(succession) : those(holderOf(succession));
}

/** What becomes of it when this one has no part in it any more: it ended, or leaves. */
export function without<Worker>(succession: Succession<Worker>, worker: Worker): Succession<Worker> {
  switch (succession.kind) {
    case "none":
      return succession.holder === worker ? { kind: "none", holder: undefined } : succession;
    case "starting":
    case "canary":
    case "given-back":
      if (succession.successor.worker === worker) return { kind: "none", holder: succession.holder };
      return succession.holder === worker ? { ...succession, holder: undefined } : succession;
    case "promoted":
      if (succession.successor.worker === worker) return { kind: "none", holder: succession.standby };
      return succession.standby === worker ? { ...succession, standby: undefined } : succession;
  }
}

/** What becomes of it when this one serves no longer, and its process has not ended yet: whoever stands by has the slot. */
export function withdrawn<Worker>(succession: Succession<Worker>, worker: Worker): Succession<Worker> {
  if (succession.kind !== "promoted" || succession.successor.worker !== worker) return succession;
  const { successor, standby } = succession;
  return standby === undefined ? succession : { kind: "given-back", holder: standby, successor };
}

function those<Worker>(...workers: readonly (Worker | undefined)[]): readonly Worker[] {
  return workers.filter((worker) => worker !== undefined);
}
