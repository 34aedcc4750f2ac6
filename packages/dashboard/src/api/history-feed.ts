import type { Clock } from "../clock.ts";
import { ask } from "./ask.ts";
import { repeat } from "./repeat.ts";
import { Store } from "./store.ts";
import type { HistorySpan } from "./types.ts";

/** How far back charts go. The cluster remembers seconds for five minutes, ten of them for an hour, minutes for a day. */
export const ranges = [
  { name: "5 min", ms: 300_000, spanMs: 1_000, newestMs: 10_000 },
  { name: "1 h", ms: 3_600_000, spanMs: 10_000, newestMs: 310_000 },
  { name: "24 h", ms: 86_400_000, spanMs: 60_000, newestMs: 3_660_000 },
] as const;

export type Range = (typeof ranges)[number];

export interface HistorySight {
  readonly range: Range;
  /** Oldest first. */
  readonly spans: readonly HistorySpan[];
}

/** The history of one range at a time. */
export class HistoryFeed extends Store<HistorySight> {
  readonly #clock: Clock;
  #end = () => {};

  constructor(clock: Clock) {
    super({ range: ranges[0], spans: [] });
    this.#clock = clock;
    this.show(ranges[0]);
  }

  show(range: Range): void {
    this.#end();
    this.set({ range, spans: [] });
    let whole = true;
    this.#end = repeat(
      this.#clock,
      () => range.spanMs,
      async () => {
        try {
          const ms = whole ? range.ms : range.newestMs;
          const { spans } = await ask<{ spans: HistorySpan[] }>(`/api/history?ms=${ms}`);
          if (this.value.range !== range) return;
          this.set({ range, spans: joined(whole ? [] : this.value.spans, spans, range.ms) });
          whole = false;
        } catch {
          // The status says that nobody answers. What was missed meanwhile is asked for as a whole.
          whole = true;
        }
      },
    );
  }
}

/** Older ones, then newer ones, none twice and none too old. */
export function joined(
  known: readonly HistorySpan[],
  newest: readonly HistorySpan[],
  keptMs: number,
): readonly HistorySpan[] {
  const [first, last] = [newest[0], newest.at(-1)];
  if (first === undefined || last === undefined) return known;
  return [...known.filter(({ at }) => at < first.at && at > last.at - keptMs), ...newest];
}
