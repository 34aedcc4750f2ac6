import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import { OperatorSignal } from "../supervisor/operator-signal.ts";
import { ShutdownSignals, takeDefaultEffect } from "../supervisor/shutdown-signals.ts";
import type { Alerting } from "./alerts/alerting.ts";
import type { ClusterAdmin } from "./cluster-admin.ts";
import type { ClusterControl } from "./cluster-control.ts";
import type { ClusterOperations } from "./cluster-operations.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { Groups } from "./groups.ts";
import type { IssuedCertificates } from "./issued-certificates.ts";
import type { NamedBackends } from "./named-backends.ts";
import type { Traffic } from "./traffic.ts";
import type { TrafficHistory } from "./traffic-history.ts";

export interface ClusterLifetimeOptions {
  readonly settings: ClusterSettings;
  readonly state: ClusterState;
  readonly traffic: Traffic;
  readonly backends: NamedBackends;
  readonly groups: Groups;
  readonly guard: GroupGuard;
  readonly operations: ClusterOperations;
  readonly control: ClusterControl;
  readonly issued: IssuedCertificates | undefined;
  readonly history: TrafficHistory;
  readonly alerting: Alerting | undefined;
  readonly admin: ClusterAdmin;
  /** Where this primary is in another one's place: takes over, now that all is ready. Rejects if it may not. */
  readonly takeOver: () => Promise<void>;
  readonly clock: Clock;
}

type Stage =
  | { readonly kind: "starting"; readonly interrupt: Interrupt }
  | { readonly kind: "running" }
  /** `interrupt`: the start was not over. */
  | { readonly kind: "closing"; readonly closed: Promise<void>; readonly interrupt: Interrupt | undefined };

/** Makes the start reject. */
type Interrupt = (signal: NodeJS.Signals) => void;

/** Grace for the workers of a start that failed: they have served next to nobody. */
const failedStartGraceMs = 1_000;

/** In which order a cluster starts, and ends: when told to, by a signal, or because its start failed. */
export class ClusterLifetime {
  readonly #options: ClusterLifetimeOptions;
  #stage: Stage;
  readonly #interrupted: Promise<never>;
  readonly #signals: readonly { remove(): void }[];

  constructor(options: ClusterLifetimeOptions) {
    const { settings, traffic, operations, clock } = options;
    this.#options = options;
    let interrupt: Interrupt = () => {};
    this.#interrupted = new Promise((_, reject) => {
      interrupt = (signal) =>
        reject(new LbError("LB_INTERRUPTED", `${signal} arrived before the instances were ready.`));
    });
    this.#stage = { kind: "starting", interrupt };
    this.#signals = settings.signals
      ? [
          // Of a signal that comes while a reload is waiting for its turn there is no other.
          new OperatorSignal("SIGHUP", () => operations.reloadSoon()),
          // It ends a process that does not listen: only where there is something to do.
          ...(settings.accessLog === false
            ? []
            : [new OperatorSignal("SIGUSR2", () => traffic.order({ kind: "reopen-access-log" }))]),
          new ShutdownSignals({ drain: (signal) => this.#signalled(signal), abort: () => this.#abort(), clock }),
        ]
      : [];
  }

  /** Resolves when all instances are ready. Rejects when nothing is left of the cluster. */
  async start(): Promise<void> {
    const { state, groups, alerting, takeOver } = this.#options;
    const all = groups.start().then(takeOver);
    state.enter({ phase: "starting" });
    try {
      await Promise.race([all, this.#interrupted]);
    } catch (error) {
      state.enter({ phase: "failed" });
      await this.close(failedStartGraceMs);
      throw error;
    }
    if (this.#stage.kind !== "starting") return;
    this.#stage = { kind: "running" };
    state.enter({ phase: "running" });
    groups.begin();
    alerting?.begin();
  }

  /** Resolves when all of it is gone; a further call changes nothing and resolves with the first. Never rejects. */
  close(graceMs: number, signal?: NodeJS.Signals): Promise<void> {
    const stage = this.#stage;
    if (stage.kind === "closing") return stage.closed;
    const delayMs = stage.kind === "running" ? this.#options.settings.shutdownDelayMs : 0;
    const closed = this.#close({ graceMs, delayMs, signal, successor: undefined });
    this.#stage = { kind: "closing", closed, interrupt: stage.kind === "starting" ? stage.interrupt : undefined };
    return closed;
  }

  /** Another primary, this process, has the cluster: what is open here drains as in {@link close}, and what stays is his. */
  cede(successor: number): Promise<void> {
    const stage = this.#stage;
    if (stage.kind === "closing") return stage.closed;
    const { settings, traffic, control, admin } = this.#options;
    traffic.order({ kind: "share", shared: true });
    admin.leave();
    control.close();
    const closed = this.#close({ graceMs: settings.drainTimeoutMs, delayMs: 0, signal: undefined, successor });
    this.#stage = { kind: "closing", closed, interrupt: undefined };
    return closed;
  }

  /**
   * First the traffic, so that no request finds its worker gone; what it leaves of the grace is the workers', who know how
   * to end a WebSocket. The front's tunnels end with theirs. Sessions end from the beginning on: a poll that waits for
   * events is a request that lasts.
   */
  async #close({ graceMs, delayMs, signal, successor }: Ending): Promise<void> {
    const { state, traffic, backends, groups, guard, operations, control, issued, history, alerting, admin, clock } =
      this.#options;
    state.enter({ phase: "closing", signal, graceMs, delayMs, ...(successor !== undefined && { successor }) });
    // Beside the drain.
    const told = alerting?.end();
    issued?.stop();
    operations.close();
    if (delayMs > 0) {
      groups.announceDelay();
      await new Promise<void>((resolve) => clock.after(delayMs, resolve, { keepAlive: true }));
    }
    const startedAt = clock.now();
    groups.announceEnd(graceMs);
    await Promise.all([groups.endProbes(), backends.close()]);
    await traffic.quiesce(graceMs);
    const leftMs = Math.max(0, graceMs - (clock.now() - startedAt));
    await groups.stop(leftMs);
    await traffic.close();
    await told;
    history.stop();
    guard.close();
    groups.removeSockets();
    control.close();
    admin.close();
    for (const one of this.#signals) one.remove();
    state.enter({ phase: "closed" });
  }

  async #signalled(signal: NodeJS.Signals): Promise<void> {
    const interrupt = this.#stage.kind === "running" ? undefined : this.#stage.interrupt;
    await this.close(this.#options.settings.drainTimeoutMs, signal);
    if (interrupt === undefined) return;
    // Nobody has the cluster in hands yet: the program ends as it would have without us.
    takeDefaultEffect(signal);
    interrupt(signal);
  }

  #abort(): void {
    const { groups, traffic, control, admin } = this.#options;
    groups.kill();
    void traffic.close();
    groups.removeSockets();
    control.close();
    admin.close();
  }
}

interface Ending {
  readonly graceMs: number;
  /** Whoever balances over several machines is told before anything ends. A cluster that never stood need tell nobody. */
  readonly delayMs: number;
  readonly signal: NodeJS.Signals | undefined;
  /** Who has the cluster instead. */
  readonly successor: number | undefined;
}
