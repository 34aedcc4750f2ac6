/** What an instance's own process can be asked for: where its processor's time goes, or what is in its memory. */
export type ProcessProfileKind = "cpu" | "heap";

/** A profile that a worker is to take of itself. */
export interface ProfileOrder {
  readonly id: number;
  readonly kind: ProcessProfileKind;
  /** For how long; of a heap nothing. */
  readonly ms: number;
  /** The file to make, which is not there yet. */
  readonly path: string;
  /** More is an error. */
  readonly maxBytes: number;
}

export interface ProfileFacts {
  readonly bytes: number;
  /** For how long nothing else could be done there. */
  readonly blockedMs: number;
}

/** What became of it. */
export type ProfileOutcome = { readonly id: number } & (ProfileFacts | { readonly error: string });

export const maxProfilePathLength = 4_096;
export const maxProfileErrorLength = 1_024;
