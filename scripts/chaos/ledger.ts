import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a request came to. `wrong`: it looked complete, and was not what the app sends. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number }
  | { readonly kind: "cut" | "wrong" | "hung"; readonly detail: string };

export interface Entry {
  readonly id: string;
  /** `poison`: it asks for the death of its instance, and may be answered by anything but success. */
  readonly kind: "get" | "put" | "post" | "upload" | "stream" | "websocket" | "poison";
  readonly from: number;
  readonly to: number;
  readonly outcome: Outcome;
}

/** A client may hear of a death before the primary has told of it, and the other way round. */
const nearMs = 1_500;

/** Both sides of every request, the deaths that may excuse one, and what was violated. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly violations: string[] = [];
  readonly deaths: { readonly at: number; readonly pid: number | undefined }[] = [];
  readonly #log: string;
  readonly #worked: string;
  readonly #mode: "proxy" | "handoff";
  #next = 0;

  constructor(folder: string, mode: "proxy" | "handoff") {
    this.#log = join(folder, "events.log");
    this.#worked = join(folder, "worked");
    this.#mode = mode;
    appendFileSync(this.#worked, "");
  }

  id(): string {
    return `r${++this.#next}`;
  }

  note(what: string): void {
    appendFileSync(this.#log, `${performance.now().toFixed(0)} ${what}\n`);
  }

  violated(what: string): void {
    this.violations.push(what);
    this.note(`VIOLATION ${what}`);
  }

  /** An instance was brought to death, or has died: what was with it may have failed for it. */
  died(pid: number | undefined): void {
    this.deaths.push({ at: performance.now(), pid });
  }

  enter(entry: Entry): void {
    this.entries.push(entry);
    const { id, kind, from, to, outcome } = entry;
    if (outcome.kind === "answered" && outcome.status === 200) return;
    const said = outcome.kind === "answered" ? String(outcome.status) : `${outcome.kind}: ${outcome.detail}`;
    this.note(`${kind} ${id} after ${(to - from).toFixed(0)} ms: ${said}`);
    if (outcome.kind === "wrong" || outcome.kind === "hung") this.violated(`${kind} ${id} ${said}`);
  }

  /** The instances that began to work on each request, as often as they did. */
  worked(): Map<string, number[]> {
    const pids = new Map<string, number[]>();
    for (const line of readFileSync(this.#worked, "latin1").split("\n")) {
      const [id = "", pid] = line.split(" ");
      if (id !== "" && id !== "none") pids.set(id, [...(pids.get(id) ?? []), Number(pid)]);
    }
    return pids;
  }

  /** To be called when all requests and the deaths behind them are known. */
  balance(): void {
    const worked = this.worked();
    for (const entry of this.entries) {
      const { id, kind, outcome } = entry;
      const pids = worked.get(id) ?? [];
      const times = pids.length;
      if ((kind === "post" || kind === "upload") && times > 1) this.violated(`${kind} ${id} ran ${times} times`);
      if (kind === "poison" && times > 2) this.violated(`poison ${id} was tried ${times} times`);
      if (kind === "poison" || kind === "websocket") continue;
      if (outcome.kind === "answered" && outcome.status === 200) {
        if (times === 0) this.violated(`${kind} ${id} was answered, and nobody worked on it`);
      } else if (!this.#isHonest(entry, pids)) {
        const said = outcome.kind === "answered" ? outcome.status : outcome.detail;
        this.violated(`${kind} ${id} failed with ${said} without a death that explains it`);
      }
    }
  }

  /**
   * Whether deaths explain that a good request failed. In proxy mode one of an instance costs a request that cannot be repeated; one that can be fails
   * only if the instance to which it was repeated has died as well. In hand-off mode nobody stands between the client
   * and the instance that dies. What an instance has begun to work on is explained by the death of that one only.
   */
  #isHonest({ kind, from, to, outcome }: Entry, pids: readonly number[]): boolean {
    const near = this.deaths.filter(({ at }) => at > from - nearMs && at < to + nearMs);
    if (pids.length > 0 && !near.some(({ pid }) => pid !== undefined && pids.includes(pid))) return false;
    const deaths = near.length;
    if (this.#mode === "handoff") return deaths >= 1;
    if (kind === "get" || kind === "put") return deaths >= 2 && outcome.kind === "answered" && outcome.status === 502;
    if (kind === "stream") return deaths >= 1;
    return deaths >= 1 && outcome.kind === "answered" && outcome.status === 502;
  }
}
