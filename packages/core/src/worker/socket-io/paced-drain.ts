import type { Clock } from "../../model/clock.ts";
import type { Random } from "../../model/random.ts";
import { type EngineSession, endGently, endNow, giveUp } from "./session-end.ts";

/** The Engine.IO server below a Socket.IO server, by the part of it that is used. */
export interface EngineSessions {
  readonly clients: Readonly<Record<string, EngineSession>>;
  readonly clientsCount: number;
}

export interface PacedDrainOptions {
  /** Asked again for each wave, since a server may be attached late. */
  readonly sessions: () => EngineSessions | undefined;
  /** Milliseconds over which the sessions are ended. */
  readonly spreadMs: number;
  /** Milliseconds until whoever is left is cut off by others. */
  readonly graceMs: number;
}

export interface PacedDrainParts {
  readonly clock: Clock;
  readonly random: Random;
}

const waveMs = 100;
/** A session that is busy all the time after the last wave is ended all the same. In milliseconds. */
const patienceMs = 1_000;
/** And this long after that it is given up: a client that polls has come again by then, or cannot. In milliseconds. */
const absentMs = 2_000;

/**
 * Ends all sessions, in waves that are of even size, at uneven intervals, and of sessions drawn at random: clients come
 * back elsewhere one after the other. They see a lost transport, which is what makes them connect again by themselves.
 * Resolves when there are none left, at the latest after the grace.
 */
export async function drainAtPace(
  { sessions, spreadMs, graceMs }: PacedDrainOptions,
  { clock, random }: PacedDrainParts,
): Promise<void> {
  const startedAt = clock.now();
  const paceMs = Math.min(spreadMs, graceMs / 2);
  for (;;) {
    const engine = sessions();
    const elapsedMs = clock.now() - startedAt;
    if (engine === undefined || engine.clientsCount === 0 || elapsedMs >= graceMs) return;
    const overdueMs = elapsedMs - paceMs - patienceMs;
    if (overdueMs > absentMs) for (const session of Object.values(engine.clients)) giveUp(session);
    const open = Object.values(engine.clients).filter(({ readyState }) => readyState === "open");
    const end = overdueMs > 0 ? endNow : endGently;
    for (const session of draw(open, waveSize(open.length, paceMs - elapsedMs), random)) end(session, clock);
    await new Promise<void>((next) => void clock.after(waveMs * (0.5 + random()), next, { keepAlive: true }));
  }
}

/** How many of those who are left have to go now, for all to be gone in `leftMs`. */
export function waveSize(open: number, leftMs: number): number {
  return Math.ceil(open / Math.max(1, Math.ceil(leftMs / waveMs)));
}

/** `count` of `from`, each as likely as the others; the beginning of a Fisher-Yates shuffle. */
function draw<T>(from: readonly T[], count: number, random: Random): readonly T[] {
  const shuffled = [...from];
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random() * (shuffled.length - at));
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled.slice(0, count);
}
