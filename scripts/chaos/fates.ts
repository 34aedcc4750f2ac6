import type { Line } from "./journal.ts";

/** What was done to an instance's process, and how it ended, as the primary told it. */
export type Happening =
  | { readonly kind: "signal"; readonly pid: number; readonly at: number; readonly signal: "SIGKILL" | "SIGTERM" }
  /** It did nothing: it was stopped, or its event loop blocked. */
  | { readonly kind: "idle"; readonly pid: number; readonly at: number; readonly until: number }
  | { readonly kind: "ready"; readonly pid: number; readonly at: number }
  | {
      readonly kind: "exit";
      readonly pid: number;
      readonly at: number;
      readonly reason: string;
      readonly signal: string | null;
      readonly exitCode: number | null;
    };

/** An end that takes along what the instance held: from when it may have been dead until the primary knew. */
export interface Death {
  readonly from: number;
  readonly to: number;
  /** The primary was ending it anyway, so what it died of is not held against the requests that were with it. */
  readonly ordered?: boolean;
}

export interface Drain {
  readonly at: number;
  readonly graceMs: number;
  /** It may have begun by so much earlier. */
  readonly lateMs: number;
}

export interface Fates {
  readonly deaths: ReadonlyMap<number, Death>;
  readonly drains: ReadonlyMap<number, Drain>;
  readonly idle: readonly Extract<Happening, { kind: "idle" }>[];
  /** Ends that nothing explains which was done to the instance. */
  readonly unexplained: readonly string[];
}

/** SIGKILL by the primary comes so much later than the end of the drain's grace, or after it. */
const killMarginMs = 1_900;
/** Until one that goes on has read what arrived meanwhile. */
const wakingMs = 250;

/** Tells the ends that cost what was in flight from those in good order, and both from those that should not have been. */
export function fatesOf(happenings: readonly Happening[], journal: readonly Line[]): Fates {
  const deaths = new Map<number, Death>();
  const unexplained: string[] = [];
  const drains = new Map(journal.flatMap((line) => (line.kind === "draining" ? [[line.pid, line] as const] : [])));
  const dying = new Map(journal.flatMap((line) => (line.kind === "dying" ? [[line.pid, line.at] as const] : [])));
  const idle = happenings.filter((one) => one.kind === "idle");
  const wasReady = new Set(happenings.flatMap((one) => (one.kind === "ready" ? one.pid : [])));
  for (const exit of happenings) {
    if (exit.kind !== "exit") continue;
    const { pid, at: to, reason, signal, exitCode } = exit;
    const signals = (name: string) =>
      happenings.flatMap((one) => (one.kind === "signal" && one.pid === pid && one.signal === name ? one.at : []));
    const from = beginOfDeath();
    if (from !== undefined) deaths.set(pid, reason === "crashed" ? { from, to } : { from, to, ordered: true });

    function beginOfDeath(): number | undefined {
      const [killedAt] = signals("SIGKILL");
      if (signal === "SIGKILL" && killedAt !== undefined) return killedAt;
      const dyingAt = dying.get(pid);
      if (dyingAt !== undefined && exitCode !== 0) return dyingAt;
      const [, secondAt] = signals("SIGTERM");
      if (signal === "SIGTERM" && secondAt !== undefined) return secondAt;
      const inGoodOrder = exitCode === 0 || signal === "SIGTERM";
      if (inGoodOrder && reason !== "crashed") return undefined;
      // Who has not served yet is ended without further ado.
      if (!wasReady.has(pid)) return undefined;
      if (signal === "SIGKILL" && couldNotDrain()) return to - 200;
      unexplained.push(`instance ${pid} ended (${reason}, ${signal ?? exitCode}) though nothing was done to it`);
      return undefined;
    }

    /** It lay idle when its grace was over, or when that began, so that it heard of it late. */
    function couldNotDrain(): boolean {
      const drain = drains.get(pid);
      const dueAt = drain === undefined ? 0 : drain.at + drain.graceMs + killMarginMs;
      return idle.some((one) => {
        if (one.pid !== pid) return false;
        if (to >= dueAt && one.at <= to && one.until >= to - killMarginMs) return true;
        const heardAsItWoke = drain !== undefined && Math.abs(drain.at - one.until) <= wakingMs;
        return heardAsItWoke && to >= one.at + drain.graceMs + killMarginMs;
      });
    }
  }
  return { deaths, drains, idle, unexplained };
}
