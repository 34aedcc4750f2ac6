import type { ProcessProfileKind } from "../ipc/profile-messages.ts";
import type { SlowRequests } from "../model/slow-requests.ts";

/** What can be looked at in an instance. */
export type ProfileKind = ProcessProfileKind | "requests";

/** What whoever asks wants. */
export interface ProfileWish {
  readonly kind: ProfileKind;
  readonly backend?: string;
  /** 1…N; may be left out where requests of all are wanted. */
  readonly id?: number;
  /** For how long; of a heap nothing. Default 10. */
  readonly seconds?: number;
}

/** What came of it. Whoever took the file removes it. */
export type Profile =
  | {
      readonly kind: ProcessProfileKind;
      /** Where it is for now. */
      readonly path: string;
      readonly bytes: number;
      /** For how long the instance could do nothing else. */
      readonly blockedMs: number;
      readonly remove: () => Promise<void>;
    }
  | { readonly kind: "requests"; readonly requests: SlowRequests };
