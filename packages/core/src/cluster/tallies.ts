import type { Tallies } from "../control/tallies.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { isEligible } from "../health/state.ts";

/** Endpoints of one backend whose ejections are told apart. */
const maxEndpoints = 1_000;

/** Counts what happens to a cluster, by its events. */
export function tallyEvents(events: ClusterEvents<ClusterEventMap>): () => Tallies {
  const exits: Record<number, Record<string, number>> = {};
  const backendExits: Record<string, Record<string, number>> = {};
  const ejections: Record<number, number> = {};
  const backendEjections: Record<string, Record<string, number>> = {};
  const reloads = { finished: 0, "rolled-back": 0 };
  const alerts: Record<string, Record<string, number>> = {};
  let autoscalings = 0;
  events.on("exit", ({ instance, reason }) => {
    exits[instance] ??= {};
    add(exits[instance], reason);
  });
  events.on("backend-program", ({ backend, event }) => {
    if (event.kind !== "exit") return;
    backendExits[backend] ??= {};
    add(backendExits[backend], event.reason);
  });
  events.on("health", ({ instance, from, to }) => {
    if (isEligible(from) && !isEligible(to)) ejections[instance] = (ejections[instance] ?? 0) + 1;
  });
  events.on("backend-health", ({ backend, endpoint, from, to }) => {
    if (!isEligible(from) || isEligible(to)) return;
    backendEjections[backend] ??= {};
    const known = backendEjections[backend];
    add(known, endpoint in known || Object.keys(known).length < maxEndpoints ? endpoint : "");
  });
  events.on("reload", ({ step }) => {
    if (step === "finished" || step === "rolled-back") reloads[step] += 1;
  });
  events.on("alert", ({ rule, state }) => {
    alerts[rule] ??= {};
    add(alerts[rule], state);
  });
  events.on("autoscale", ({ error }) => {
    if (error === undefined) autoscalings += 1;
  });
  return () => structuredClone({ exits, backendExits, ejections, backendEjections, reloads, autoscalings, alerts });
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
