import type { Clock, Timer } from "../../model/clock.ts";

/**
 * `socket.setTimeout` for sockets that are not the kernel's. Activity only notes the time; the timer is moved when it
 * fires too early. So a busy socket costs one timer per period and not one per request.
 */
export class InactivityTimer {
  readonly #clock: Clock;
  readonly #onInactive: () => void;
  #ms = 0;
  #lastActive = 0;
  #timer: Timer | undefined;
  #dueAt = 0;

  constructor(clock: Clock, onInactive: () => void) {
    this.#clock = clock;
    this.#onInactive = onInactive;
  }

  /** Fires `ms` after the last activity, and again after each later one; 0: never. */
  set(ms: number): void {
    this.#ms = ms;
    this.active();
  }

  active(): void {
    if (this.#ms === 0) return;
    this.#lastActive = this.#clock.now();
    const dueAt = this.#lastActive + this.#ms;
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#arm(dueAt);
  }

  cancel(): void {
    this.#ms = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(dueAt: number): void {
    this.#dueAt = dueAt;
    this.#timer = this.#clock.after(Math.max(1, dueAt - this.#clock.now()), this.#due);
  }

  readonly #due = () => {
    this.#timer = undefined;
    if (this.#ms === 0) return;
    const dueAt = this.#lastActive + this.#ms;
    // Node's timers may fire a fraction of a millisecond early.
    if (dueAt - this.#clock.now() > 1) this.#arm(dueAt);
    else this.#onInactive();
  };
}
