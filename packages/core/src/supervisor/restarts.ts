import type { Clock, Timer } from "../model/clock.ts";
import type { ExitReason } from "./events.ts";
import type { IncarnationExit } from "./incarnation.ts";
import type { Restart, RestartPolicy } from "./restart-policy.ts";

/** How the last process of an instance ended. */
export interface LastExit {
  readonly reason: ExitReason;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly agoMs: number;
}

/** A start that is due, but not yet. */
export interface PendingRestart {
  readonly kind: Restart["kind"];
  readonly inMs: number;
}

export interface RestartsOptions {
  readonly policy: RestartPolicy;
  readonly clock: Clock;
  readonly start: () => void;
}

/** The time between two workers of a slot: how the one ended, and when the other starts. */
export class Restarts {
  readonly #options: RestartsOptions;
  #pending: { readonly kind: Restart["kind"]; readonly at: number; readonly timer: Timer } | undefined;
  #last: { readonly exit: IncarnationExit; readonly at: number } | undefined;

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  get pending(): PendingRestart | undefined {
    if (this.#pending === undefined) return undefined;
    const { kind, at } = this.#pending;
    return { kind, inMs: Math.max(0, Math.round(at - this.#options.clock.now())) };
  }

  get lastExit(): LastExit | undefined {
    if (this.#last === undefined) return undefined;
    const { exit, at } = this.#last;
    const { reason, exitCode, signal } = exit;
    return { reason, exitCode, signal, agoMs: Math.round(this.#options.clock.now() - at) };
  }

  exited(exit: IncarnationExit): void {
    this.#last = { exit, at: this.#options.clock.now() };
  }

  /** The slot is empty because of this: another worker is started when the policy says. */
  begin({ servedMs }: IncarnationExit): Restart {
    this.cancel();
    const { policy, clock, start } = this.#options;
    const restart = policy.died(servedMs);
    const timer = clock.after(restart.delayMs, start, { keepAlive: true });
    this.#pending = { kind: restart.kind, at: clock.now() + restart.delayMs, timer };
    return restart;
  }

  cancel(): void {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
  }
}
