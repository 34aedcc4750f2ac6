import type { ChildProcess } from "node:child_process";
import type { Endpoint } from "../model/endpoint.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { PlaneFact } from "../plane/plane-messages.ts";
import type { RosterEvent, SupervisorEvent } from "../supervisor/events.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { GroupTraffic } from "./group-traffic.ts";
import type { InstanceProbes } from "./instance-probes.ts";
import type { Traffic } from "./traffic.ts";

export interface ClusterRosterOptions {
  readonly settings: ClusterSettings;
  readonly supervisor: Supervisor;
  readonly traffic: Traffic;
  /** The app's. */
  readonly group: GroupTraffic;
  readonly probes: InstanceProbes | undefined;
}

/** Between those who start instances and the traffic: tells it of the instances, and them what showed in the traffic. */
export class ClusterRoster {
  readonly #options: ClusterRosterOptions;
  #taking: readonly Endpoint[] = [];

  constructor(options: ClusterRosterOptions) {
    this.#options = options;
    options.supervisor.subscribe((event) => this.#follow(event));
    options.traffic.subscribe((fact) => this.#heed(fact));
  }

  #follow(event: SupervisorEvent): void {
    const { traffic } = this.#options;
    switch (event.kind) {
      case "roster":
        this.#roster(event);
        return;
      case "doomed":
      case "ended":
        traffic.order({ kind: event.kind, endpoint: event.endpoint.id });
        return;
      default:
    }
  }

  #roster({ taking, lingering }: RosterEvent): void {
    const { supervisor, traffic, group, probes } = this.#options;
    const silent = this.#taking.filter((endpoint) => !taking.includes(endpoint) && supervisor.isSilent(endpoint));
    this.#taking = taking;
    const order = {
      kind: "roster",
      taking: taking.map((endpoint) => group.reached(endpoint)),
      lingering: lingering.map((endpoint) => group.reached(endpoint)),
      silent: silent.map(({ id }) => id),
    } as const;
    traffic.order(order, this.#channelsOf(taking));
    probes?.update(taking);
  }

  /** What only the traffic notices of a process. */
  #heed(fact: PlaneFact): void {
    if (fact.kind !== "lost" && fact.kind !== "link-broken") return;
    const worker = this.#options.supervisor.worker({ id: fact.endpoint, slot: fact.slot });
    if (fact.kind === "lost") worker?.lost();
    else worker?.discard();
  }

  #channelsOf(endpoints: readonly Endpoint[]): ReadonlyMap<string, ChildProcess> {
    const channels = new Map<string, ChildProcess>();
    if (this.#options.settings.mode === "proxy") return channels;
    for (const endpoint of endpoints) {
      const child = this.#options.supervisor.worker(endpoint)?.child;
      if (child !== undefined) channels.set(endpoint.id, child);
    }
    return channels;
  }
}
