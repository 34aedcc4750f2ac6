import type { StartError } from "../model/start-error.ts";
import type { StartParallelism } from "../options/life-options.ts";
import type { Slot } from "./slot.ts";

export interface JointStartOptions {
  readonly slots: readonly Slot[];
  readonly parallelism: StartParallelism;
}

/** Starts slots until all of them are ready at the same time. Told of every change, since it could be the last one. */
export class JointStart {
  readonly done: Promise<void>;
  readonly #slots: readonly Slot[];
  readonly #parallelism: StartParallelism;
  /** Instances whose start has already timed out once. */
  readonly #timedOut = new Set<number>();
  #begun = 0;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #over = false;

  constructor({ slots, parallelism }: JointStartOptions) {
    this.#slots = slots;
    this.#parallelism = parallelism;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** To be called once everybody who hears of the slots knows of this start. */
  begin(): void {
    this.#beginMore();
    this.changed();
  }

  /** A slot may have become ready. */
  changed(): void {
    if (this.#over) return;
    this.#beginMore();
    if (this.#begun < this.#slots.length || !this.#slots.every(isStarted)) return;
    this.#over = true;
    this.#resolve();
  }

  /** One that timed out once may only have been unlucky; what else is told here will not pass. */
  failed(error: StartError, cause: "reported" | "timeout" | "crash-loop"): void {
    if (!this.#slots.some(({ id }) => id === error.instance)) return;
    if (cause === "timeout" && !this.#timedOut.has(error.instance)) this.#timedOut.add(error.instance);
    else this.abandon(error);
  }

  abandon(error: Error): void {
    this.#over = true;
    this.#reject(error);
  }

  #beginMore(): void {
    while (this.#begun < this.#slots.length) {
      const starting = this.#slots.slice(0, this.#begun).filter((slot) => !isStarted(slot)).length;
      if (starting >= this.#atOnce) return;
      const slot = this.#slots[this.#begun]!;
      this.#begun += 1;
      slot.start();
    }
  }

  get #atOnce(): number {
    if (this.#parallelism === "all") return Number.POSITIVE_INFINITY;
    if (this.#parallelism !== "first") return this.#parallelism;
    return isStarted(this.#slots[0]!) ? Number.POSITIVE_INFINITY : 1;
  }
}

/** One that had little to do is through before the others are ready. */
function isStarted(slot: Slot): boolean {
  return slot.isReady || slot.isDone;
}
