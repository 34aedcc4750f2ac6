import type { Challenges, IssuedCertificate } from "../model/challenges.ts";
import type { Clock, WallClock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { AcmeSettings } from "../options/acme-options.ts";

// What lies between a cluster and `@lb/acme`, which is loaded where it is needed.

/** How it is with a certificate that is kept. Times are of the wall clock, in milliseconds. */
export type KeeperState =
  /** It is renewed then, as the authority wishes, or by how long it is good. */
  | { readonly kind: "kept"; readonly renewsAt: number; readonly by: "authority" | "lifetime" }
  /** One is being asked for, here or by another process that has the same storage. */
  | { readonly kind: "ordering" }
  /** It came to nothing, so many times in a row. */
  | { readonly kind: "failed"; readonly attempts: number; readonly retryAt: number; readonly error: LbError };

/** What is worth an event. */
export type KeeperNotice =
  /** An authority is being asked. `first`: there is nothing to serve with meanwhile. */
  | { readonly kind: "ordering"; readonly first: boolean }
  /** New handshakes get one that was asked for, here or elsewhere. */
  | { readonly kind: "renewed" }
  | { readonly kind: "failed"; readonly first: boolean; readonly error: LbError; readonly retryAt: number };

/** Keeps a certificate for the names of the settings in force, and in use. */
export interface CertificateKeeper {
  readonly state: KeeperState;
  /** Has what is stored used, if there is something. @throws LbError `LB_ACME_STORAGE` */
  load(): Promise<void>;
  /** The front is open: from now on it asks for certificates when it is time. */
  begin(): void;
  /** Looks at what is stored now, and tries again what has failed. */
  hurry(): void;
  stop(): void;
}

export interface KeeperOptions {
  readonly settings: AcmeSettings & { readonly storage: string };
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  /** Resolves when the front answers authorities with these, and no others. */
  readonly present: (challenges: Challenges) => Promise<void>;
  /** Resolves when handshakes that begin get it. */
  readonly use: (certificate: IssuedCertificate) => Promise<void>;
  readonly tell: (notice: KeeperNotice) => void;
}

/** What of `@lb/acme` a cluster calls. */
export interface AcmePackage {
  keepCertificate(options: KeeperOptions): CertificateKeeper;
}
