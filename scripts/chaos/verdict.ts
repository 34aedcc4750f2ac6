import type { Entry, Kind } from "./entry.ts";
import type { Death, Fates } from "./fates.ts";

export interface Evidence extends Pick<Fates, "deaths" | "drains" | "idle"> {
  readonly mode: "proxy" | "handoff";
  /** With TLS in hand-off mode nobody has read a request when an instance gets its connection. */
  readonly unread: boolean;
  /** Between the clients and the front is nghttpx, which drops the head of a response that is reset right behind it, and ends connections of uploads that are answered early. */
  readonly gateway: boolean;
  /** The instances that began to work on each request, as often as they did. */
  readonly begun: ReadonlyMap<string, readonly number[]>;
  /** When that was sent which an instance began and was sent last, of what comes to it in the order in which it was sent. */
  readonly lastSent: ReadonlyMap<number, number>;
  /** How long the clients' own process can have been late around this time. */
  readonly lateMs: (at: number) => number;
}

/** How late a client hears of a death that the primary knows of, and how long a request is on its way to an instance. */
const nearMs = 150;
/** An instance that runs has answered any request within this time: twice what the longest takes. */
const finishMs = 2_000;
/** Requests that have waited so long on an instance may go elsewhere once: `heartbeat.outAfterMs`, or nearly. */
const silentMs = 700;

/** Why this must not have come to what it did; undefined if all is as it should be. */
export function violationIn(entry: Entry, evidence: Evidence): string | undefined {
  const { id, kind, from, to, outcome } = entry;
  const begun = evidence.begun.get(id) ?? [];
  // One that was left for its silence may begin what it had unread all the same; and the death of one that was to end does not count (ADR 18).
  const extra = begun.filter((pid) => wasSilent(pid) || evidence.deaths.get(pid)?.ordered === true);
  const tries = maxTries(kind) + (isIdempotent(kind) ? extra.length : 0);
  if (begun.length > tries) return `was begun ${begun.length} times`;
  switch (outcome.kind) {
    case "wrong":
    case "hung":
      return `${outcome.kind}: ${outcome.detail}`;
    case "answered":
      if (outcome.status !== 200) break;
      return begun.length === 0 ? "was answered, and nobody began it" : undefined;
    case "closed":
    case "cut":
      break;
  }
  const why = causeMissing();
  const said = "detail" in outcome ? outcome.detail : "code" in outcome ? outcome.code : outcome.status;
  return why === undefined ? undefined : `${said} after ${(to - from).toFixed(0)} ms: ${why}`;

  function causeMissing(): string | undefined {
    if (entry.answeredBy !== undefined) return endMissing(entry.answeredBy);
    // What polls of a session came to was relayed to it, and is cut with whoever relays it.
    if (evidence.unread && kind === "polling session" && [...evidence.deaths.values()].some(failedWith))
      return undefined;
    // A handshake may have been begun by two, where the first was silent for long; or by that one alone, after it was left.
    if (isSession(kind) && begun.length > 0) {
      const missing = begun.map(endMissing);
      if (missing.includes(undefined)) return undefined;
      if (evidence.mode === "handoff" || !begun.every(wasSilent)) return missing.join(", ");
    }
    const living = begun.filter((pid) => endMissing(pid) !== undefined);
    const repeatable = evidence.mode === "proxy" && isIdempotent(kind);
    if (living.length > 0 && !(repeatable && living.every(wasSilent))) return `${living.join(", ")} began it and lives`;
    if (evidence.mode === "handoff") {
      if (outcome.kind === "answered") return "the instance that died cannot have answered";
      // Such connections do not move: an idle one of an instance that is about to end is closed, and a request may cross that.
      if (evidence.unread && evidence.drains.has(entry.keptBy ?? 0)) return undefined;
      // It may have died before: a client that was late itself has not heard of it.
      const kept = (evidence.deaths.get(entry.keptBy ?? 0)?.from ?? Number.POSITIVE_INFINITY) <= to;
      return kept || begun.length > 0 || diedUnread(failedWith) ? undefined : "no instance died that can have had it";
    }
    // The front stands between: it answers, and what can be repeated fails with the second instance only.
    if (outcome.kind !== "answered" && !isSession(kind) && !evidence.gateway) return "the front should have answered";
    if (outcome.kind === "answered" && outcome.status !== 502) return "not the answer for an instance that died";
    if (!repeatable || mayKill(kind)) {
      return begun.length > 0 || diedUnread(failedWith) ? undefined : "no instance died that can have had it";
    }
    return twoFailed() ? undefined : "no two instances failed that can have had it";
  }

  /** The second one died with the failure, the first one before or, silent for long, was left. */
  function twoFailed(): boolean {
    for (const [second, death] of evidence.deaths) {
      if (!failedWith(death)) continue;
      const others = begun.filter((pid) => pid !== second);
      // It may have been sent to one that was dead, as long as that was not known.
      if (others.length > 0 || diedUnread((one) => one !== death && one.to >= from - 1)) return true;
      if (evidence.idle.some(({ pid }) => pid !== second && wasSilent(pid))) return true;
    }
    return false;
  }

  /** The other side ended it when it had begun to answer: its end, or the end of its drain's grace for what lasts. */
  function endMissing(pid: number): string | undefined {
    if (died(pid)) return undefined;
    const drain = evidence.drains.get(pid);
    const by = `${pid} lives`;
    if (drain === undefined) return by;
    const earliest = drain.at - drain.lateMs;
    if (earliest > to) return by;
    const early = earliest + drain.graceMs - to;
    const isEarly = early > 250 ? `${by}, and its drain had another ${early.toFixed(0)} ms` : undefined;
    switch (kind) {
      case "polling session":
      case "websocket session":
        // They are closed at a pace as soon as it drains.
        return undefined;
      case "websocket":
        if (outcome.kind !== "closed" || outcome.code !== 1012) return `${by}, and 1012 is due`;
        break;
      case "events":
        break;
      default:
        // It may have lain idle for the most part of its grace.
        if (to - from - idleMs(pid) >= finishMs) return `${by}: it drains, and has time to finish this`;
    }
    return isEarly;
  }

  /** How long it lay idle meanwhile. */
  function idleMs(pid: number): number {
    const spans = evidence.idle.flatMap((one) =>
      one.pid === pid ? Math.min(one.until, to) - Math.max(one.at, from) : [],
    );
    return spans.reduce((sum, ms) => sum + Math.max(0, ms), 0);
  }

  function died(pid: number): boolean {
    const death = evidence.deaths.get(pid);
    return death !== undefined && death.from <= to + 1 && death.to >= from;
  }

  function wasSilent(pid: number): boolean {
    return evidence.idle.some(
      (one) => one.pid === pid && Math.min(one.until, to) - Math.max(one.at, from - silentMs) >= silentMs,
    );
  }

  /**
   * One such death may have taken it along unread. An instance that has begun what was sent later had read it: what comes from one process is
   * read in its order, and what waits for an instance in the front goes on in its order, too. Not where there is a handshake first: those of
   * several connections end in any order.
   */
  function diedUnread(matches: (death: Death) => boolean): boolean {
    const sentLater = evidence.unread ? Number.POSITIVE_INFINITY : from + nearMs + evidence.lateMs(from);
    return [...evidence.deaths].some(
      ([pid, death]) => !begun.includes(pid) && matches(death) && (evidence.lastSent.get(pid) ?? 0) <= sentLater,
    );
  }

  function failedWith(death: Death): boolean {
    return death.from <= to + 1 && death.to + nearMs + evidence.lateMs(to) >= to;
  }
}

function maxTries(kind: Kind): number {
  switch (kind) {
    case "post":
    case "upload":
    case "block":
    case "crash":
    case "poison post":
      return 1;
    case "poison get":
      return 2;
    case "get":
    case "put":
    case "stream":
    case "events":
    case "websocket":
    case "polling session":
    case "websocket session":
      return 3;
  }
}

/** It asks for the death of its instance. */
function mayKill(kind: Kind): boolean {
  return kind === "crash" || kind === "poison get" || kind === "poison post";
}

function isIdempotent(kind: Kind): boolean {
  return maxTries(kind) > 1;
}

function isSession(kind: Kind): boolean {
  return kind === "polling session" || kind === "websocket session";
}
