import { type AcmeStatus, shownCertificate } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock, WallClock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { AcmeSettings } from "../options/acme-options.ts";
import { loadAcmePackage } from "./acme-package.ts";
import type { CertificateKeeper, KeeperNotice } from "./certificate-keeper.ts";
import type { Traffic } from "./traffic.ts";

export interface IssuedCertificatesOptions {
  readonly settings: AcmeSettings;
  readonly traffic: Traffic;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
}

/** The certificate that an authority is asked for: who keeps it, the front that has it, and whoever wants to know. */
export class IssuedCertificates {
  readonly #options: IssuedCertificatesOptions;
  readonly #keeper: CertificateKeeper;

  /** @throws LbError */
  constructor(options: IssuedCertificatesOptions) {
    const { settings, traffic, clock, wallClock, random } = options;
    this.#options = options;
    const acme = loadAcmePackage(settings.domains);
    try {
      this.#keeper = acme.keepCertificate({
        settings: { ...settings, storage: settings.storage! },
        clock,
        wallClock,
        random,
        present: (challenges) => traffic.present(challenges),
        use: (certificate) => traffic.useCertificate(certificate),
        tell: (notice) => this.#tell(notice),
      });
    } catch (error) {
      throw ownError(error);
    }
  }

  status(): AcmeStatus {
    const { settings } = this.#options;
    const { state } = this.#keeper;
    const { domains, directory } = settings;
    const at = (time: number) => new Date(time).toISOString();
    switch (state.kind) {
      case "kept":
        return { domains, directory, state: "kept", renewsAt: at(state.renewsAt), attempts: 0, error: null };
      case "ordering":
        return { domains, directory, state: "ordering", renewsAt: null, attempts: 0, error: null };
      case "failed": {
        const { attempts, retryAt, error } = state;
        return { domains, directory, state: "failed", renewsAt: at(retryAt), attempts, error: error.message };
      }
    }
  }

  /** Before the ports open, so that what is stored serves from the first handshake on. @throws LbError */
  async load(): Promise<void> {
    try {
      await this.#keeper.load();
    } catch (error) {
      throw ownError(error);
    }
  }

  begin(): void {
    this.#keeper.begin();
  }

  hurry(): void {
    this.#keeper.hurry();
  }

  stop(): void {
    this.#keeper.stop();
  }

  #tell(notice: KeeperNotice): void {
    const { events, settings, traffic } = this.#options;
    switch (notice.kind) {
      case "ordering": {
        const { domains, directory } = settings;
        events.emit("certificate-ordered", { domains, directory, first: notice.first });
        return;
      }
      case "renewed":
        events.emit("certificates-renewed", { certificates: traffic.status().certificates.map(shownCertificate) });
        return;
      case "failed": {
        const { first, error, retryAt } = notice;
        events.emit("certificate-order-failed", {
          first,
          error: ownError(error),
          retryAt: new Date(retryAt).toISOString(),
        });
        return;
      }
      default:
        notice satisfies never;
    }
  }
}

/** The package may have been loaded with a copy of this one, whose classes are not ours. */
function ownError(error: unknown): LbError {
  if (error instanceof LbError) return error;
  const { code, message } = error as Error & { readonly code?: unknown };
  return new LbError(typeof code === "string" ? code : "LB_ACME", message, { cause: error });
}
