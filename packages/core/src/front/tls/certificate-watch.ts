import type { CertificateFacts } from "../../model/certificate-facts.ts";
import type { Clock } from "../../model/clock.ts";
import type { LbError } from "../../model/errors.ts";
import { FileWatch } from "../../tls/file-watch.ts";
import type { CertificateStore } from "./certificate-store.ts";

export interface CertificateWatchOptions {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly renewed: (certificates: readonly CertificateFacts[]) => void;
  /** The old ones serve on. Told once for the same reason. */
  readonly failed: (error: LbError) => void;
}

/** Reads a store's certificates anew when their files have changed, and makes the one for localhost anew when it is time. */
export function certificateWatch({ store, clock, renewed, failed }: CertificateWatchOptions): FileWatch {
  return new FileWatch({
    files: () => store.files,
    clock,
    before: () => store.renewLocal(),
    reread: () => store.reread(),
    renewed: () => renewed(store.facts),
    failed,
  });
}
