import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type Entry, kinds } from "./entry.ts";
import { fatesOf, type Happening } from "./fates.ts";
import { type Line, now, readJournal } from "./journal.ts";
import type { Lateness } from "./lateness.ts";
import type { SaidMessages } from "./messages.ts";
import { type Evidence, violationIn } from "./verdict.ts";

interface LedgerOptions extends Pick<Evidence, "mode" | "unread" | "gateway"> {
  readonly folder: string;
  readonly lateness: Lateness;
}

/** Both sides of every request and every message, what was done to the instances, and what does not fit together. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly violations: string[] = [];
  readonly happenings: Happening[] = [];
  readonly said: SaidMessages[] = [];
  readonly journal: string;
  /** The cluster was told to end, and refuses connections rightly. */
  closing = false;
  readonly #log: string;
  readonly #lateness: Lateness;
  readonly #mode: "proxy" | "handoff";
  readonly #unread: boolean;
  readonly #gateway: boolean;
  #next = 0;

  constructor({ folder, mode, unread, gateway, lateness }: LedgerOptions) {
    this.#unread = unread;
    this.#gateway = gateway;
    this.#log = join(folder, "events.log");
    this.journal = join(folder, "journal");
    this.#mode = mode;
    this.#lateness = lateness;
    appendFileSync(this.journal, "");
  }

  id(): string {
    return `r${++this.#next}`;
  }

  note(what: string): void {
    appendFileSync(this.#log, `${now().toFixed(0)} ${what}\n`);
  }

  violated(what: string): void {
    this.violations.push(what);
    this.note(`VIOLATION ${what}`);
  }

  happened(happening: Happening): void {
    this.happenings.push(happening);
    this.note(JSON.stringify(happening));
  }

  enter(entry: Entry): void {
    this.entries.push(entry);
    const { outcome } = entry;
    if (outcome.kind !== "answered" || outcome.status !== 200) this.note(JSON.stringify(entry));
  }

  /** To be called when all requests and the deaths behind them are known. */
  balance(): { deaths: number } {
    const journal = readJournal(this.journal);
    const fates = fatesOf(this.happenings, journal);
    for (const what of fates.unexplained) this.violated(what);
    const lateMs = (at: number) => this.#lateness.around(at);
    const begun = begunIn(journal);
    const lastSent = lastSentOf(this.entries, begun, this.#mode);
    const evidence = {
      mode: this.#mode,
      unread: this.#unread,
      gateway: this.#gateway,
      ...fates,
      begun,
      lastSent,
      lateMs,
    };
    for (const entry of this.entries) {
      const why = violationIn(entry, evidence);
      if (why !== undefined) this.violated(`${entry.kind} ${entry.id} at ${entry.to.toFixed(0)}: ${why}`);
    }
    for (const said of this.said) for (const why of said.violations(journal, fates)) this.violated(why);
    return { deaths: fates.deaths.size };
  }

  /** For the table: how many of each kind there were, and what became of them. */
  summary(): Record<string, Record<string, number>> {
    const rows: Record<string, Record<string, number>> = {};
    for (const kind of kinds) {
      const entries = this.entries.filter((entry) => entry.kind === kind);
      if (entries.length === 0) continue;
      const whole = entries.filter(({ outcome }) => outcome.kind === "answered" && outcome.status === 200);
      const times = whole.map(({ from, to }) => to - from).sort((a, b) => a - b);
      rows[kind] = {
        begun: entries.length,
        whole: whole.length,
        "5xx": entries.filter(({ outcome }) => outcome.kind === "answered" && outcome.status !== 200).length,
        cut: entries.filter(({ outcome }) => outcome.kind === "cut").length,
        closed: entries.filter(({ outcome }) => outcome.kind === "closed").length,
        p99ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
      };
    }
    return rows;
  }
}

function begunIn(journal: readonly Line[]): Map<string, number[]> {
  const begun = new Map<string, number[]>();
  for (const line of journal) {
    if (line.kind !== "began") continue;
    const pids = begun.get(line.id);
    if (pids === undefined) begun.set(line.id, [line.pid]);
    else pids.push(line.pid);
  }
  return begun;
}

/**
 * Sessions last, and what they send later is not in the order of their beginning. In hand-off mode what comes on a kept connection goes to the
 * instance itself, past new connections that queue for it in the front.
 */
function lastSentOf(
  entries: readonly Entry[],
  begun: ReadonlyMap<string, readonly number[]>,
  mode: "proxy" | "handoff",
): Map<number, number> {
  const last = new Map<number, number>();
  for (const { id, from, keptBy } of entries) {
    if (mode === "handoff" && keptBy !== undefined) continue;
    const [pid] = begun.get(id) ?? [];
    if (pid !== undefined) last.set(pid, Math.max(from, last.get(pid) ?? 0));
  }
  return last;
}
