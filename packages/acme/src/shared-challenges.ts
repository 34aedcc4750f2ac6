import type { Clock, Timer } from "@lb/core";
import { type Challenges, noChallenges } from "@lb/core/kit";
import { pause } from "./polling.ts";
import type { CertificateStorage } from "./storage.ts";

export interface SharedChallengesOptions {
  readonly storage: Pick<CertificateStorage, "readChallenges" | "writeChallenges">;
  /** Resolves when the front of this process answers with these, and no others. */
  readonly present: (challenges: Challenges) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How often each process looks for what others are asked. */
const lookMs = 500;

/** Until all of them are certain to have looked. */
const settleMs = 750;

/** What nobody took back by then was left behind by a process that died. */
const maxAgeMs = 600_000;

/**
 * Who asks for a certificate need not be who is asked for the proof: several machines may be behind one name. So what is to be
 * answered is stored, and answered by all who share the storage.
 */
export class SharedChallenges {
  readonly #options: SharedChallengesOptions;
  /** What the front has, as it is stored. */
  #presented = JSON.stringify(noChallenges);
  #timer: Timer | undefined;
  #since = 0;

  constructor(options: SharedChallengesOptions) {
    this.#options = options;
  }

  /** Resolves when all answer with these, and no others. @throws AcmeError `LB_ACME_STORAGE` */
  async present(challenges: Challenges): Promise<void> {
    const { storage, present, clock, signal } = this.#options;
    const text = JSON.stringify(challenges);
    this.#presented = text;
    this.#since = clock.now();
    await present(challenges);
    await storage.writeChallenges(text);
    if (challenges !== noChallenges) await pause(settleMs, clock, signal);
  }

  /** From now on what others are asked is answered here too. */
  follow(): void {
    const { clock, signal } = this.#options;
    const look = async () => {
      await this.#look();
      if (!signal.aborted) this.#timer = clock.after(lookMs, look);
    };
    signal.addEventListener("abort", () => this.#timer?.cancel(), { once: true });
    void look();
  }

  async #look(): Promise<void> {
    const { storage, present, clock } = this.#options;
    const text = await storage.readChallenges().catch(() => undefined);
    if (text === undefined) return;
    const isOld = text === this.#presented && clock.now() - this.#since > maxAgeMs;
    if (text === this.#presented && !isOld) return;
    // Once.
    this.#since = isOld ? Number.POSITIVE_INFINITY : clock.now();
    this.#presented = text;
    await present(isOld ? noChallenges : challengesIn(text)).catch(() => {});
  }
}

/** Of one that writes at the moment, or of another version, nothing. */
function challengesIn(text: string): Challenges {
  try {
    const { http, alpn } = JSON.parse(text) as Partial<Challenges>;
    return { http: http ?? {}, alpn: alpn ?? {} };
  } catch {
    return noChallenges;
  }
}
