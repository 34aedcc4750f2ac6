import { X509Certificate } from "node:crypto";
import type { LbError, Timer } from "@lb/core";
import type { CertificateKeeper, IssuedCertificate, KeeperOptions, KeeperState } from "@lb/core/kit";
import { AcmeError } from "./errors.ts";
import type { Issuer } from "./issuer.ts";
import { type Lifetime, type RenewalWindow, renewalBy, renewalWithin, retryDelay } from "./renewal.ts";
import type { SharedChallenges } from "./shared-challenges.ts";
import type { CertificateStorage } from "./storage.ts";
import type { HeldLock } from "./storage-lock.ts";

export interface KeeperParts
  extends Pick<KeeperOptions, "settings" | "clock" | "wallClock" | "random" | "use" | "tell"> {
  readonly issuer: Issuer;
  readonly storage: Pick<CertificateStorage, "open" | "readCertificate" | "writeCertificate"> & {
    lock(): Promise<Pick<HeldLock, "stands" | "release">>;
  };
  readonly challenges: Pick<SharedChallenges, "follow">;
  readonly abort: AbortController;
}

/** The certificate in use, and when it is to be renewed. */
interface Kept {
  readonly certificate: IssuedCertificate;
  readonly lifetime: Lifetime;
  /** It is for all the names of the settings. */
  readonly complete: boolean;
  /** Where in the time that is right for it it is renewed, so that not all processes come at once. */
  readonly drawn: number;
  readonly window: RenewalWindow | undefined;
  /** When the authority is asked again when it wants it renewed. */
  readonly lookAt: number;
}

/** It wakes up at least so often: the clock on the wall may have been set, and others may have stored a certificate. */
const maxSleepMs = 3_600_000;

/** Between two that were asked for, or a quarter of their life. */
const spacingMs = 3_600_000;

/** Where it does not say what it thinks, it is asked again as often. */
const lookAgainMs = 21_600_000;

/** Keeps one certificate in force: uses what is stored, has it renewed in time, and tries again what failed. */
export class Keeper implements CertificateKeeper {
  readonly #parts: KeeperParts;
  #state: KeeperState = { kind: "ordering" };
  #kept: Kept | undefined;
  #attempts = 0;
  /** It is in use, and could not be stored. */
  #unsaved: IssuedCertificate | undefined;
  /** One that has just come is not asked for again, whatever an authority says. */
  #notBefore = 0;
  #wake: (() => void) | undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  get state(): KeeperState {
    return this.#state;
  }

  async load(): Promise<void> {
    await this.#parts.storage.open();
    await this.#adoptStored();
  }

  begin(): void {
    this.#parts.challenges.follow();
    void this.#run();
  }

  hurry(): void {
    if (this.#state.kind === "failed") this.#state = { ...this.#state, retryAt: 0 };
    if (this.#kept !== undefined) this.#kept = { ...this.#kept, lookAt: 0 };
    this.#notBefore = 0;
    this.#wake?.();
  }

  stop(): void {
    this.#parts.abort.abort(new Error("The cluster closes."));
    this.#wake?.();
  }

  get #stopped(): boolean {
    return this.#parts.abort.signal.aborted;
  }

  async #run(): Promise<void> {
    const { wallClock } = this.#parts;
    while (!this.#stopped) {
      const dueAt = this.#state.kind === "failed" ? this.#state.retryAt : await this.#renewal();
      if (this.#stopped) return;
      const now = wallClock();
      if (dueAt <= now) await this.#attempt();
      else {
        await this.#sleep(Math.min(dueAt, this.#kept?.lookAt ?? dueAt) - now);
        await this.#adoptStored().catch(() => {});
      }
    }
  }

  /** When it is to be renewed, as far as can be told now. */
  async #renewal(): Promise<number> {
    if (this.#kept === undefined || !this.#kept.complete) return 0;
    if (this.#kept.lookAt <= this.#parts.wallClock()) await this.#askWhen(this.#kept);
    const { window, lifetime, drawn } = this.#kept;
    const wanted = window === undefined ? renewalBy(lifetime, drawn) : renewalWithin(window, drawn);
    const renewsAt = Math.max(wanted, this.#notBefore);
    this.#state = { kind: "kept", renewsAt, by: window === undefined ? "lifetime" : "authority" };
    return renewsAt;
  }

  /** An authority that cannot say so does not keep a certificate from being renewed. */
  async #askWhen(kept: Kept): Promise<void> {
    const { issuer, wallClock } = this.#parts;
    const info = await issuer.renewalInfo(kept.certificate.cert).catch(() => undefined);
    if (this.#kept !== kept) return;
    this.#kept = {
      ...kept,
      window: info?.window ?? kept.window,
      lookAt: wallClock() + (info?.lookAgainMs ?? lookAgainMs),
    };
  }

  async #attempt(): Promise<void> {
    const { tell, random, wallClock } = this.#parts;
    this.#state = { kind: "ordering" };
    try {
      await this.#renew();
      this.#attempts = 0;
    } catch (error) {
      if (this.#stopped) return;
      this.#attempts += 1;
      const known = asLbError(error);
      const askedMs = known instanceof AcmeError ? known.retryAfterMs : undefined;
      const retryAt = wallClock() + retryDelay(this.#attempts, random(), askedMs);
      this.#state = { kind: "failed", attempts: this.#attempts, retryAt, error: known };
      tell({ kind: "failed", first: this.#kept === undefined, error: known, retryAt });
    }
  }

  /** One at a time, of all who share the storage; what another one has got meanwhile is this one's too. */
  async #renew(): Promise<void> {
    const { storage, issuer, settings, tell } = this.#parts;
    const lock = await storage.lock();
    try {
      if (this.#unsaved !== undefined) {
        await storage.writeCertificate(this.#unsaved);
        this.#unsaved = undefined;
        return;
      }
      const before = this.#kept;
      await this.#adoptStored();
      if (this.#kept !== before && this.#kept?.complete === true) {
        tell({ kind: "renewed" });
        return;
      }
      tell({ kind: "ordering", first: before === undefined });
      const challenge = settings.challenge ?? (this.#attempts % 2 === 0 ? "http-01" : "tls-alpn-01");
      const issued = await issuer.issue({ challenge, inPlaceOf: before?.certificate.cert });
      // A disk that is full is no reason to serve without it.
      await this.#adopt(issued);
      const { notBefore, notAfter } = this.#kept!.lifetime;
      this.#notBefore = this.#parts.wallClock() + Math.min(spacingMs, (notAfter - notBefore) / 4);
      tell({ kind: "renewed" });
      this.#unsaved = issued;
      if (await lock.stands()) await storage.writeCertificate(issued);
      this.#unsaved = undefined;
    } finally {
      await lock.release();
    }
  }

  /** What is stored and is no certificate, or one that cannot be used, is as good as none. @throws AcmeError */
  async #adoptStored(): Promise<void> {
    const stored = await this.#parts.storage.readCertificate();
    await this.#adopt(stored).catch(() => {});
  }

  /** Has a certificate used, unless it is the one that is, or an older one. */
  async #adopt(certificate: IssuedCertificate | undefined): Promise<void> {
    const { use, random, settings } = this.#parts;
    if (certificate === undefined || certificate.cert === this.#kept?.certificate.cert) return;
    const parsed = new X509Certificate(certificate.cert);
    const lifetime = { notBefore: Date.parse(parsed.validFrom), notAfter: Date.parse(parsed.validTo) };
    const complete = settings.domains.every((domain) => parsed.checkHost(domain) !== undefined);
    if (this.#kept?.complete && lifetime.notAfter <= this.#kept.lifetime.notAfter) return;
    await use(certificate);
    const drawn = random();
    this.#kept = { certificate, lifetime, complete, drawn, window: undefined, lookAt: 0 };
    this.#state = { kind: "kept", renewsAt: renewalBy(lifetime, drawn), by: "lifetime" };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#wake = () => {
        timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      // It is due by now where somebody has asked for it meanwhile.
      timer = this.#parts.clock.after(Math.max(0, Math.min(ms, maxSleepMs)), this.#wake);
    });
  }
}

function asLbError(error: unknown): LbError {
  if (error instanceof Error && "code" in error) return error as LbError;
  return new AcmeError("LB_ACME_ANSWER", (error as Error).message, { cause: error });
}
