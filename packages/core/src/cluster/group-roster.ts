import type { ChildProcess } from "node:child_process";
import type { Endpoint } from "../model/endpoint.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { PlaneFact } from "../plane/plane-messages.ts";
import type { RosterEvent, SupervisorEvent } from "../supervisor/events.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { GroupTraffic } from "./group-traffic.ts";
import type { InstanceProbes } from "./instance-probes.ts";
import type { Traffic } from "./traffic.ts";

export interface GroupRosterOptions {
  readonly mode: ClusterSettings["mode"];
  readonly supervisor: Supervisor;
  readonly traffic: Traffic;
  readonly group: GroupTraffic;
  readonly probes: InstanceProbes | undefined;
}

/** Between those who start the instances of a group and the traffic: tells it of the instances, and them what showed in the traffic. */
export class GroupRoster {
  readonly #options: GroupRosterOptions;
  #taking: readonly Endpoint[] = [];
  #lingering: readonly Endpoint[] = [];

  constructor(options: GroupRosterOptions) {
    this.#options = options;
    options.supervisor.subscribe((event) => this.#follow(event));
    options.traffic.subscribe((fact) => this.#heed(fact));
  }

  #follow(event: SupervisorEvent): void {
    const { traffic, group } = this.#options;
    switch (event.kind) {
      case "roster":
        this.#roster(event);
        return;
      case "doomed":
      case "ended":
        traffic.order({ kind: event.kind, endpoint: group.idOf(event.endpoint) });
        return;
      default:
    }
  }

  #roster({ taking, lingering }: RosterEvent): void {
    const { supervisor, traffic, group, probes } = this.#options;
    const silent = this.#taking.filter((endpoint) => !taking.includes(endpoint) && supervisor.isSilent(endpoint));
    this.#taking = taking;
    this.#lingering = lingering;
    const now = {
      lingering: lingering.map((endpoint) => group.reached(endpoint)),
      silent: silent.map((endpoint) => group.idOf(endpoint)),
    };
    const reached = taking.map((endpoint) => group.reached(endpoint));
    const { backend } = group;
    if (backend !== undefined) traffic.order({ kind: "backend", backend, endpoints: reached, ...now });
    else traffic.order({ kind: "roster", taking: reached, ...now }, this.#channelsOf(taking));
    probes?.update(taking);
  }

  /** What only the traffic notices of a process. */
  #heed(fact: PlaneFact): void {
    if (fact.kind !== "lost" && fact.kind !== "link-broken") return;
    const { group, supervisor } = this.#options;
    const known = [...this.#taking, ...this.#lingering].find((endpoint) => group.idOf(endpoint) === fact.endpoint);
    const asked = known ?? (group.backend === undefined ? { id: fact.endpoint, slot: fact.slot } : undefined);
    const worker = asked && supervisor.worker(asked);
    if (fact.kind === "lost") worker?.lost();
    else worker?.discard();
  }

  #channelsOf(endpoints: readonly Endpoint[]): ReadonlyMap<string, ChildProcess> {
    const channels = new Map<string, ChildProcess>();
    if (this.#options.mode === "proxy") return channels;
    for (const endpoint of endpoints) {
      const child = this.#options.supervisor.worker(endpoint)?.child;
      if (child !== undefined) channels.set(endpoint.id, child);
    }
    return channels;
  }
}
