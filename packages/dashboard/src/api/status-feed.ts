import type { Clock } from "../clock.ts";
import { ask } from "./ask.ts";
import { repeat } from "./repeat.ts";
import { Store } from "./store.ts";
import type { ClusterStatus } from "./types.ts";

/** A status, and when it came. */
export interface Sample {
  /** By the page's clock, in milliseconds. */
  readonly at: number;
  readonly status: ClusterStatus;
}

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `since`: milliseconds since 1970-01-01 UTC. */
  | { readonly kind: "lost"; readonly since: number; readonly why: string };

export interface StatusSight {
  readonly connection: Connection;
  /** The last few seconds, oldest first; none: nothing came yet. */
  readonly samples: readonly Sample[];
}

const everyMs = 1_000;
/** Rates are over so much time. */
const keptMs = 5_500;

/** The status, again and again. */
export function statusFeed(clock: Clock): Store<StatusSight> {
  const store = new Store<StatusSight>({ connection: { kind: "connecting" }, samples: [] });
  repeat(
    clock,
    () => everyMs,
    async () => {
      try {
        const { status } = await ask<{ status: ClusterStatus }>("/api/status");
        const sample = { at: clock.now(), status };
        store.set({ connection: { kind: "live" }, samples: [...recent(store.value.samples, sample), sample] });
      } catch (error) {
        const { connection, samples } = store.value;
        const since = connection.kind === "lost" ? connection.since : Date.now();
        store.set({ connection: { kind: "lost", since, why: (error as Error).message }, samples });
      }
    },
  );
  return store;
}

/** Those that can be compared with it: of the same primary, and not too old, but for one at least. */
export function recent(samples: readonly Sample[], { at, status }: Sample): readonly Sample[] {
  const same = samples.filter((one) => one.status.pid === status.pid && one.at < at);
  const near = same.filter((one) => at - one.at <= keptMs);
  return near.length > 0 ? near : same.slice(-1);
}
