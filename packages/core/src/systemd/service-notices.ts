import { allInstances, readiness } from "../control/instance-names.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap, ClusterPhase } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { type Clock, every, type Timer } from "../model/clock.ts";

export interface ServiceNoticesOptions {
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly status: () => Pick<ClusterStatus, "instances" | "backends" | "phase">;
  readonly clock: Clock;
  /** The clock of the system that systemd reads too, in microseconds. */
  readonly monotonicMicroseconds: () => bigint;
  readonly send: (...assignments: readonly string[]) => void;
  readonly watchdogMs: number | undefined;
  /** Resolves when all that was sent has arrived. */
  readonly ended: () => Promise<void>;
}

/** How many are ready is looked at so often. */
const lookMs = 1_000;
/** A start lasts as long as `startTimeoutMs` and the rest allow: systemd, which has a time of its own for it, is told to wait for so much more. */
const patienceMs = 30_000;
/** Whoever leaves the service to another process waits so long for systemd to hear it. */
const heardMs = 10_000;
/** Of a drain systemd is told how long it may take, and this for what comes after it. */
const endMarginMs = 10_000;

/** Tells systemd in its own words how the cluster is. */
export class ServiceNotices {
  readonly #options: ServiceNoticesOptions;
  readonly #timers: Timer[] = [];
  #phase: ClusterPhase["phase"] = "starting";
  #status = "";
  /** Reloads that go on: the app's, and those of backends. */
  readonly #reloading = new Set<string | undefined>();
  #untilExtended = 0;

  constructor(options: ServiceNoticesOptions) {
    this.#options = options;
    const { events, clock, watchdogMs, send } = options;
    events.on("phase", (phase) => this.#entered(phase));
    events.on("reload", ({ backend, step, done, total }) => {
      if (this.#phase !== "running") return;
      if (step === "finished" || step === "rolled-back") this.#reloaded(backend);
      else this.#reloads(backend, `${done} of ${total} replaced`);
    });
    this.#timers.push(every(clock, lookMs, () => this.#look()));
    // The half, as sd_watchdog_enabled(3) has it. A process whose event loop turns no more says nothing, and is ended.
    if (watchdogMs !== undefined) this.#timers.push(every(clock, watchdogMs / 2, () => send("WATCHDOG=1")));
  }

  #entered(phase: ClusterPhase): void {
    const { send, ended } = this.#options;
    this.#phase = phase.phase;
    switch (phase.phase) {
      case "starting":
        return;
      case "running":
        send("READY=1", this.#statusOf(this.#readiness()));
        return;
      case "closing": {
        if (phase.successor !== undefined) return;
        const ms = phase.delayMs + phase.graceMs + endMarginMs;
        send("STOPPING=1", this.#statusOf("draining"), `EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`);
        return;
      }
      case "failed":
        send(this.#statusOf("could not start; its log says why"));
        return;
      case "closed":
        this.#stop();
        void ended();
        return;
    }
  }

  /**
   * This process is the service: systemd knew another one as that, or would if it were started anew. Resolves when it has heard it, or does
   * not for a while: a process that ends before is taken for the service's end.
   */
  async handOver(pid: number): Promise<void> {
    const { send, ended, clock } = this.#options;
    this.#stop();
    send(`MAINPID=${pid}`);
    await new Promise<void>((resolve) => {
      const timer = clock.after(heardMs, resolve, { keepAlive: true });
      void ended().then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #reloads(backend: string | undefined, how: string): void {
    const { send, monotonicMicroseconds } = this.#options;
    const status = this.#statusOf(`reloading, ${how}`);
    if (this.#reloading.size === 0) send("RELOADING=1", `MONOTONIC_USEC=${monotonicMicroseconds()}`, status);
    else send(status);
    this.#reloading.add(backend);
  }

  #reloaded(backend: string | undefined): void {
    this.#reloading.delete(backend);
    if (this.#reloading.size === 0) this.#options.send("READY=1", this.#statusOf(this.#readiness()));
  }

  #look(): void {
    const { send, clock } = this.#options;
    if (this.#phase === "starting") {
      const now = clock.now();
      if (now >= this.#untilExtended) {
        this.#untilExtended = now + patienceMs / 3;
        send(`EXTEND_TIMEOUT_USEC=${patienceMs * 1_000}`);
      }
      this.#say(`starting, ${this.#readiness()}`);
    } else if (this.#phase === "running" && this.#reloading.size === 0) this.#say(this.#readiness());
  }

  #say(status: string): void {
    if (status !== this.#status) this.#options.send(this.#statusOf(status));
  }

  #statusOf(status: string): string {
    this.#status = status;
    return `STATUS=${status}`;
  }

  #readiness(): string {
    const status = this.#options.status();
    return allInstances(status).length === 0 ? "serving" : `${readiness(status)} instances ready`;
  }
}
