import type { Alert } from "../model/alert.ts";
import type { Clock, Timer, WallClock } from "../model/clock.ts";
import type { DigestSettings, QuietHoursSettings } from "../options/alert-options.ts";
import { quietFor } from "./quiet-hours.ts";

export interface OutboxOptions {
  readonly digest: DigestSettings;
  readonly quietHours: QuietHoursSettings | undefined;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  /** Never empty. `omitted`: so many more there were. */
  readonly send: (alerts: readonly Alert[], omitted: number) => void;
}

/** What comes within this of another goes out with it. */
const togetherMs = 1_000;

/** Alerts of one message; more are counted. */
const maxAlerts = 100;

/** Decides which alerts make a message, and when it goes out: at once, or with others while there are too many, or it is quiet. */
export class Outbox {
  readonly #options: OutboxOptions;
  /** By incident: of each, the last that is known. */
  #waiting = new Map<string, Alert>();
  #omitted = 0;
  #timer: Timer | undefined;
  /** When that is. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** When the messages of the last `digest.perMs` went out. */
  #sent: number[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(alert: Alert): void {
    const before = this.#waiting.get(alert.id);
    if (before === undefined && this.#waiting.size >= maxAlerts) this.#omitted += 1;
    // Of what began and ended while it waited, the end says all.
    else this.#waiting.set(alert.id, alert.state === "resolved" && before !== undefined ? passed(alert) : alert);
    this.#sendIn(this.#dueInMs(alert));
  }

  /** All that waits, now: the process ends. */
  flush(): void {
    this.#send();
  }

  /** Or earlier, if that is so already. */
  #sendIn(ms: number): void {
    const { clock } = this.#options;
    if (this.#dueAt <= clock.now() + ms) return;
    this.#timer?.cancel();
    this.#dueAt = clock.now() + ms;
    this.#timer = clock.after(ms, () => this.#due());
  }

  #due(): void {
    const { quietHours, wallClock } = this.#options;
    this.#dueAt = Number.POSITIVE_INFINITY;
    // Hours as they are by the wall clock may have moved while we waited.
    const heldMs = quietHours === undefined ? 0 : quietFor(quietHours, wallClock());
    const passes = [...this.#waiting.values()].some((alert) => this.#passesQuiet(alert));
    if (heldMs > 0 && !passes) this.#sendIn(heldMs);
    else this.#send();
  }

  #dueInMs(alert: Alert): number {
    const { quietHours, digest, clock, wallClock } = this.#options;
    const heldMs = quietHours === undefined || this.#passesQuiet(alert) ? 0 : quietFor(quietHours, wallClock());
    if (heldMs > 0) return heldMs;
    const now = clock.now();
    this.#sent = this.#sent.filter((at) => now - at < digest.perMs);
    if (this.#sent.length < digest.messages) return togetherMs;
    return Math.max(togetherMs, this.#sent[0]! + digest.perMs - now);
  }

  #passesQuiet({ severity }: Alert): boolean {
    return severity === "critical" && this.#options.quietHours?.critical === "send";
  }

  #send(): void {
    this.#timer?.cancel();
    this.#dueAt = Number.POSITIVE_INFINITY;
    const [alerts, omitted] = [[...this.#waiting.values()], this.#omitted];
    if (alerts.length === 0) return;
    this.#waiting = new Map();
    this.#omitted = 0;
    this.#sent.push(this.#options.clock.now());
    this.#options.send(alerts, omitted);
  }
}

function passed(alert: Alert): Alert {
  return { ...alert, state: "passed" };
}
