import type { ClusterSight } from "../control/cluster-sight.ts";
import { SlotCounters } from "../control/slot-counters.ts";
import {
  backendStatuses,
  type ClusterStatus,
  clusterStatus,
  type InstanceSources,
  type InstanceStatus,
  instanceStatuses,
  type Standing,
  type SupervisedGroup,
  shownCertificate,
} from "../control/status.ts";
import type { Tallies } from "../control/tallies.ts";
import type { ClusterEventMap, ClusterPhase } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { emitWorkerEvent } from "../events/worker-events.ts";
import type { History } from "../facts/history.ts";
import { maxRoutes, type TrafficCounts } from "../facts/traffic-counts.ts";
import { localRoot } from "../front/tls/local-authority.ts";
import type { HubCounts } from "../hub/hub-counts.ts";
import type { Vitals } from "../ipc/messages.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { PlaneStatus } from "../plane/plane-messages.ts";
import { isWorkerEvent } from "../supervisor/events.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { DroppedMessages } from "./dropped-messages.ts";
import type { IssuedCertificates } from "./issued-certificates.ts";
import { type Listening, listeningOn, notListening } from "./listening.ts";
import type { OpenListener } from "./public-listeners.ts";
import { ReloadSight } from "./reload-sight.ts";
import type { Traffic } from "./traffic.ts";
import type { TrafficHistory } from "./traffic-history.ts";

export interface ClusterStateOptions {
  /** As they are now. */
  readonly settings: () => ClusterSettings;
  readonly supervisor: Supervisor;
  readonly traffic: Traffic;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
  readonly issued: IssuedCertificates | undefined;
  /** Beside the app, by the names of their backends. */
  readonly groups: () => Readonly<Record<string, SupervisedGroup>>;
  readonly history: TrafficHistory;
  readonly tallies: () => Tallies;
  readonly hub: () => HubCounts;
  /** Where the admin listener is. */
  readonly admin: () => string | undefined;
}

/** How a cluster is: for `status()` and whatever shows it, and told by its events when it changes. */
export class ClusterState implements ClusterSight {
  readonly #options: ClusterStateOptions;
  #listening: Listening = notListening;
  #phase: ClusterStatus["phase"] = "starting";
  #since: number;
  /** All instances were ready once. */
  #stood = false;
  /** How far those are that go on: of the app, and of backends by name. */
  readonly #reloads = new Map<string | undefined, ReloadSight>();
  /** Of endpoints that the balancer has forgotten. */
  readonly #departed = new SlotCounters();
  readonly #dropped: DroppedMessages;
  /** What was last told of each instance. */
  readonly #told = new Map<number, Pick<InstanceStatus, "state" | "pid">>();

  constructor(options: ClusterStateOptions) {
    const { supervisor, traffic, events, clock } = options;
    this.#options = options;
    this.#since = clock.now();
    this.#dropped = new DroppedMessages(clock, (event) => events.emit("messages-dropped", event));
    supervisor.subscribe((event) => {
      if (!isWorkerEvent(event)) return;
      if (event.kind === "message-dropped") this.#dropped.note(event.instance - 1);
      this.#tellInstances();
      emitWorkerEvent(events, event);
    });
    traffic.subscribe((fact) => {
      if (fact.kind === "health") this.#tellInstances();
      if (fact.kind === "drained") this.#departed.add(fact.slot, fact);
      if (fact.kind === "message-dropped") this.#dropped.note(fact.slot);
    });
  }

  /** The public listeners are open. */
  listens(listeners: readonly OpenListener[]): void {
    this.#listening = listeningOn(listeners);
  }

  get listening(): Listening {
    return this.#listening;
  }

  /** Instances are being replaced. */
  get isReloading(): boolean {
    return this.#reloads.size > 0;
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
        // Whoever asks for the cluster's health by a connection that is still open here means the one that goes on.
        if (next.successor === undefined) this.#phase = next.phase;
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

  /** `backend`: whose program it is; undefined: it is the app. */
  reloading(progress: ReloadProgress, backend?: string): void {
    const { step } = progress;
    if (step === "started") this.#reloads.set(backend, this.#reloadSight(backend));
    this.#reloads.get(backend)?.note(progress);
    if (step === "finished" || step === "rolled-back") this.#reloads.delete(backend);
    this.#options.events.emit("reload", backend === undefined ? progress : { backend, ...progress });
  }

  /** Of the app, or of what a backend runs. */
  instancesOf(backend: string | undefined): readonly InstanceStatus[] {
    const { instances, backends } = this.standing();
    return backend === undefined ? instances : (backends.find(({ name }) => name === backend)?.instances ?? []);
  }

  standing(): Standing {
    const { traffic, groups } = this.#options;
    const { backends, certificates, ...plane } = traffic.status();
    return {
      instances: instanceStatuses(this.#instanceSources(plane)),
      backends: backendStatuses({ backends, groups: groups(), reload: (backend) => this.#reloadOf(backend) }),
      certificates: certificates.map(shownCertificate),
    };
  }

  status(): ClusterStatus {
    const { traffic, clock, issued, groups, history, tallies, hub, admin } = this.#options;
    const settings = this.#options.settings();
    const plane = traffic.status();
    const { https, ...listening } = this.#listening;
    const http2 = settings.mode === "proxy" && settings.front.http2 !== false;
    return clusterStatus({
      name: settings.name,
      mode: settings.mode,
      ...listening,
      https:
        https === undefined
          ? null
          : {
              ...https,
              http2,
              certificates: plane.certificates.map(shownCertificate),
              localRoot: this.#localRoot(),
              acme: issued?.status() ?? null,
            },
      admin: admin() ?? null,
      strategy: settings.strategy.name,
      pid: process.pid,
      phase: this.#phase,
      reload: (backend) => this.#reloadOf(backend),
      uptimeMs: clock.now() - this.#since,
      answered: plane.answered,
      limits: plane.limits,
      accessLog: plane.accessLog,
      tracing: plane.tracing,
      backends: plane.backends,
      groups: groups(),
      counts: traffic.counts(),
      routes: settings.routes.slice(0, maxRoutes).map(({ name }) => name),
      lastMinute: history.history.over(60_000),
      vitals: history.primary,
      tallies: tallies(),
      hub: hub(),
      ...this.#instanceSources(plane),
    });
  }

  counts(): TrafficCounts {
    return this.#options.traffic.counts();
  }

  tallies(): Tallies {
    return this.#options.tallies();
  }

  get primary(): Vitals | undefined {
    return this.#options.history.primary;
  }

  get history(): History {
    return this.#options.history.history;
  }

  #instanceSources({ balancer, relayed }: Pick<PlaneStatus, "balancer" | "relayed">): InstanceSources {
    return {
      instances: this.#options.supervisor.snapshot(),
      balancer,
      departed: this.#departed,
      relayed: (slot) => relayed[slot] ?? 0,
      droppedMessages: (slot) => this.#dropped.of(slot),
    };
  }

  #reloadOf(backend: string | undefined): ClusterStatus["reload"] {
    return this.#reloads.get(backend)?.status ?? null;
  }

  #reloadSight(backend: string | undefined): ReloadSight {
    const { traffic, clock } = this.#options;
    const endpoints = () => {
      const { balancer, backends } = traffic.status();
      return (backend === undefined ? balancer : backends[backend])?.endpoints ?? [];
    };
    return new ReloadSight({ endpoints, clock });
  }

  #localRoot(): string | null {
    const { https } = this.#options.settings().front;
    return https !== false && typeof https.localhost === "string" ? localRoot(https.localhost) : null;
  }

  #tellInstances(): void {
    for (const instance of instanceStatuses(this.#instanceSources(this.#options.traffic.status()))) {
      const { id, state, pid } = instance;
      const told = this.#told.get(id);
      if (told !== undefined && told.state === state && told.pid === pid) continue;
      this.#told.set(id, { state, pid });
      this.#options.events.emit("instance", instance);
    }
  }
}
