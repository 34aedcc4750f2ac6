import type { Balancer } from "../balancer/balancer.ts";
import { SlotCounters } from "../control/slot-counters.ts";
import { type ClusterStatus, clusterStatus, type InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap, ClusterPhase } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { emitWorkerEvent } from "../events/worker-events.ts";
import type { TrafficObserver } from "../front/traffic-observer.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { DroppedMessages } from "./dropped-messages.ts";

export interface ClusterStateOptions {
  readonly settings: ClusterSettings;
  readonly supervisor: Supervisor;
  readonly balancer: Balancer;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

/** How a cluster is: for `status()`, and told by its events when it changes. */
export class ClusterState {
  readonly #options: ClusterStateOptions;
  #port: number;
  #phase: ClusterStatus["phase"] = "starting";
  #since: number;
  /** All instances were ready once. */
  #stood = false;
  #reload: ClusterStatus["reload"] = null;
  /** Of endpoints that the balancer has forgotten. */
  readonly #departed = new SlotCounters();
  /** By status: what the front answered in place of the app. */
  readonly #answered = new Map<number, number>();
  /** By slot: requests that workers relayed to others, on their connections' behalf. */
  readonly #relayed = new Map<number, number>();
  readonly #dropped: DroppedMessages;
  /** What was last told of each instance. */
  readonly #told = new Map<number, Pick<InstanceStatus, "state" | "pid">>();

  constructor(options: ClusterStateOptions) {
    const { settings, supervisor, balancer, events, clock } = options;
    this.#options = options;
    this.#port = settings.port;
    this.#since = clock.now();
    this.#dropped = new DroppedMessages(clock, (event) => events.emit("messages-dropped", event));
    supervisor.subscribe((event) => {
      if (event.kind === "roster" || event.kind === "vitals") return;
      if (event.kind === "message-dropped") this.#dropped.note(event.instance - 1);
      this.#tellInstances();
      emitWorkerEvent(events, event);
    });
    balancer.subscribe((event) => {
      if (event.type === "health") this.#tellInstances();
      if (event.type === "drained") this.#departed.add(event.endpoint.slot, event);
    });
  }

  /** The public port is open. */
  listens(port: number): void {
    this.#port = port;
  }

  /** It got to its next phase. One that never stood need not tell of its end. */
  enter(next: ClusterPhase): void {
    const { events, clock } = this.#options;
    switch (next.phase) {
      case "running":
        this.#phase = next.phase;
        this.#since = clock.now();
        this.#stood = true;
        break;
      case "closing":
        this.#phase = next.phase;
        if (!this.#stood) return;
        break;
      case "closed":
        if (!this.#stood) return;
        break;
      case "starting":
      case "failed":
        break;
    }
    events.emit("phase", next);
  }

  reloading(progress: ReloadProgress): void {
    const { step, done, total } = progress;
    this.#reload = step === "finished" || step === "rolled-back" ? null : { done, total };
    this.#options.events.emit("reload", progress);
  }

  /** What it counts of the traffic. */
  get observer(): TrafficObserver {
    return {
      requestsRelayed: ({ slot }, requests) => {
        this.#relayed.set(slot, (this.#relayed.get(slot) ?? 0) + requests);
      },
      messageDropped: ({ slot }) => this.#dropped.note(slot),
      answered: (status) => {
        this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
      },
    };
  }

  status(): ClusterStatus {
    const { settings, supervisor, balancer, clock } = this.#options;
    return clusterStatus({
      name: settings.name,
      mode: settings.mode,
      host: settings.host,
      port: this.#port,
      strategy: settings.strategy.name,
      pid: process.pid,
      phase: this.#phase,
      reload: this.#reload,
      uptimeMs: clock.now() - this.#since,
      answered: Object.fromEntries(this.#answered),
      instances: supervisor.snapshot(),
      balancer: balancer.status(),
      departed: this.#departed,
      relayed: (slot) => this.#relayed.get(slot) ?? 0,
      droppedMessages: (slot) => this.#dropped.of(slot),
    });
  }

  #tellInstances(): void {
    for (const instance of this.status().instances) {
      const { id, state, pid } = instance;
      const told = this.#told.get(id);
      if (told !== undefined && told.state === state && told.pid === pid) continue;
      this.#told.set(id, { state, pid });
      this.#options.events.emit("instance", instance);
    }
  }
}
