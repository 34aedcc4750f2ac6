import type { Alert, AlertRule, AlertSeverity } from "../model/alert.ts";
import type { Clock, WallClock } from "../model/clock.ts";
import { type IncidentState, type IncidentTimes, next, quiet, type Seen } from "./incident-state.ts";

/** How one thing looks now. */
export interface Reading {
  readonly rule: AlertRule;
  readonly subject: string;
  readonly seen: Seen;
  /** What is wrong, in one line; of no use while it is good. */
  readonly summary: string;
  readonly severity: AlertSeverity;
}

export interface IncidentBookOptions {
  /** Those that are looked at; readings of others are ignored. */
  readonly rules: ReadonlyMap<AlertRule, IncidentTimes>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly tell: (alert: Alert) => void;
}

/** Things that are not quiet; what comes beyond that is not looked at. */
const maxOpen = 2_000;

interface Open {
  readonly times: IncidentTimes;
  state: IncidentState;
  /** How it looked last. */
  reading: Reading;
  /** What was wrong last; once that was said, what was said. */
  wrong: Reading;
  /** When it began, by the wall clock. */
  readonly since: string;
}

function isBad({ seen }: Reading): boolean {
  return seen === "bad" || seen === "urgent";
}

/** Makes incidents of readings: one beginning and one end is told of each, however often it flickers in between. */
export class IncidentBook {
  readonly #options: IncidentBookOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: IncidentBookOptions) {
    this.#options = options;
  }

  note(reading: Reading): void {
    const times = this.#options.rules.get(reading.rule);
    if (times === undefined) return;
    const key = `${reading.rule} ${reading.subject}`;
    const known = this.#open.get(key);
    if (known !== undefined) {
      known.reading = reading;
      const isSaid = known.state.kind === "firing" || known.state.kind === "recovering";
      if (isBad(reading) && !isSaid) known.wrong = reading;
      this.#step(key, known);
      return;
    }
    if (!isBad(reading) || this.#open.size >= maxOpen) return;
    const since = new Date(this.#options.wallClock()).toISOString();
    const open: Open = { times, state: quiet, reading, wrong: reading, since };
    this.#open.set(key, open);
    this.#step(key, open);
  }

  /** These are all subjects of a rule that there are: others are good, being gone. */
  only(rule: AlertRule, subjects: ReadonlySet<string>): void {
    for (const { reading } of [...this.#open.values()]) {
      if (reading.rule === rule && !subjects.has(reading.subject)) this.note({ ...reading, seen: "good" });
    }
  }

  /** Time has passed, and what was not noted again is as it was. */
  tick(): void {
    for (const [key, open] of [...this.#open]) this.#step(key, open);
  }

  #step(key: string, open: Open): void {
    const { clock, tell } = this.#options;
    const { state, told, durationMs } = next(open.state, open.reading.seen, clock.now(), open.times);
    open.state = state;
    if (state.kind === "quiet") this.#open.delete(key);
    if (told === undefined) return;
    const { rule, subject, severity, summary } = open.wrong;
    tell({
      id: `${rule}:${subject}:${open.since}`,
      rule,
      state: told,
      severity,
      subject,
      summary,
      since: open.since,
      ...(durationMs !== undefined && { durationMs: Math.round(durationMs) }),
    });
  }
}
