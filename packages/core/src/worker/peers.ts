import type { Peer, Peers } from "../ipc/messages.ts";

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.peers");
const shared = globalThis as { [key]?: Peers };

/**
 * The instances of this cluster that take traffic now, this one included, each with the port on which it answers
 * directly, on the host `HOST`. As the primary told it last; empty in a process that is no instance, where
 * `PrimaryCluster.status()` says it.
 */
export function clusterRoster(): readonly Peer[] {
  return shared[key]?.taking ?? [];
}

/** Those besides that serve nothing but the sessions which live in them. */
export function lingeringPeers(): readonly Peer[] {
  return shared[key]?.lingering ?? [];
}

export function notePeers({ taking, lingering }: Peers): void {
  shared[key] = { taking: Object.freeze([...taking]), lingering };
  if (taking.length < 2) return;
  for (const then of waiting) then();
  waiting.clear();
}

const waiting = new Set<() => void>();

/** Calls once several instances take traffic, now or when the primary tells of it, which it does with a delay. */
export function whenSeveral(then: () => void): void {
  if (clusterRoster().length < 2) waiting.add(then);
  else then();
}
