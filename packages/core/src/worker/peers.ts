import type { Peer } from "../ipc/messages.ts";

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.peers");
const shared = globalThis as { [key]?: readonly Peer[] };

/**
 * The instances of this cluster that take traffic now, this one included, each with the port on which it answers
 * directly, on the host `HOST`. As the primary told it last; empty in a process that is no instance, where
 * `PrimaryCluster.status()` says it.
 */
export function clusterRoster(): readonly Peer[] {
  return shared[key] ?? [];
}

export function notePeers(peers: readonly Peer[]): void {
  shared[key] = Object.freeze([...peers]);
}
