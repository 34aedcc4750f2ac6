import { encodeWorkerFacts, workerFactsVariable } from "../ipc/worker-facts.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { SupervisorEvent } from "./events.ts";
import type { IntakeDirectory } from "./intake-directory.ts";
import { createRestartPolicy, type RestartOptions } from "./restart-policy.ts";
import { type InstanceSnapshot, Slot, type SlotObserver } from "./slot.ts";
import type { StartError } from "./start-errors.ts";
import type { WorkerEntry } from "./worker-entry.ts";
import type { launchWorker } from "./worker-process.ts";

export interface SupervisorOptions {
  readonly entry: WorkerEntry;
  /** Where the instances listen for direct traffic; `ports` has one for each, in slot order. */
  readonly host: string;
  readonly ports: readonly number[];
  /** Added to the environment of every worker. */
  readonly env: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly restart: RestartOptions;
  readonly intakes: IntakeDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly launch: typeof launchWorker;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** Called with the endpoints that take traffic, whenever they change. */
  readonly onRoster: (roster: readonly Endpoint[]) => void;
}

interface FirstStart {
  readonly resolve: () => void;
  readonly reject: (error: StartError) => void;
  /** Instances whose start has already timed out once. */
  readonly timedOut: Set<number>;
}

/** Keeps one worker running in each slot, and tells who of them takes traffic. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  #firstStart: FirstStart | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const observer: SlotObserver = {
      slotEvent: options.onEvent,
      slotRouteChanged: () => this.#publishRoster(),
      slotStartFailed: (error, cause) => this.#startFailed(error, cause),
      slotExited: (endpoint) => options.intakes.removePath(endpoint.id),
    };
    this.#slots = options.ports.map((port, slot) => this.#slot(slot, port, observer));
  }

  /**
   * Resolves when all instances are ready at the same time. Rejects with the first failure that another attempt would
   * not mend: what a worker reports itself, a start that hung twice, a crash loop. The caller then has to `stop`.
   * After it settled no failure rejects anything: they are events.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstStart = { resolve, reject, timedOut: new Set() };
      for (const slot of this.#slots) slot.start();
    });
  }

  /** In slot order. */
  snapshot(): readonly InstanceSnapshot[] {
    return this.#slots.map((slot) => slot.snapshot());
  }

  /** Drains all workers at the same time; those still there a little after `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#firstStart = undefined;
    await Promise.all(this.#slots.map((slot) => slot.stop(graceMs)));
  }

  /**
   * Kills the worker behind this endpoint, which showed itself broken (it violates the protocol, or is blocked), and
   * replaces it as after a crash. Nothing happens when that worker is gone or ending already.
   */
  discard(endpoint: Endpoint): void {
    this.#slots[endpoint.slot]?.discard(endpoint);
  }

  /** SIGKILL to every worker, now. */
  kill(): void {
    this.#firstStart = undefined;
    for (const slot of this.#slots) slot.kill();
  }

  #slot(slot: number, port: number, observer: SlotObserver): Slot {
    const { startTimeoutMs, drainTimeoutMs, clock, random, intakes } = this.#options;
    return new Slot({
      slot,
      port,
      startTimeoutMs,
      drainTimeoutMs,
      clock,
      policy: createRestartPolicy(this.#options.restart, random),
      endpoint: (incarnation) => {
        const id = `${slot + 1}.${incarnation}`;
        return { id, slot, incarnation, weight: 1, address: { kind: "unix", path: intakes.pathFor(id) } };
      },
      launch: (endpoint, workerObserver) => {
        const { entry, launch } = this.#options;
        const env = this.#environment(endpoint, port);
        const spec = { endpointId: endpoint.id, entry, env, startTimeoutMs, drainTimeoutMs };
        return launch(spec, workerObserver, clock);
      },
      observer,
    });
  }

  #environment({ id, slot }: Endpoint, port: number): Record<string, string | undefined> {
    const { host, env, drainTimeoutMs, intakes } = this.#options;
    return {
      ...process.env,
      ...env,
      PORT: String(port),
      HOST: host,
      INSTANCE_ID: String(slot + 1),
      NODE_APP_INSTANCE: String(slot),
      [workerFactsVariable]: encodeWorkerFacts({
        endpointId: id,
        slot,
        intakePath: intakes.pathFor(id),
        host,
        port,
        primaryPid: process.pid,
        drainTimeoutMs,
        firstStart: this.#firstStart !== undefined,
      }),
    };
  }

  #publishRoster(): void {
    const roster = this.#slots.flatMap((slot) => slot.endpoint ?? []);
    this.#options.onRoster(roster);
    if (roster.length < this.#slots.length) return;
    this.#firstStart?.resolve();
    this.#firstStart = undefined;
  }

  #startFailed(error: StartError, cause: "reported" | "timeout" | "crash-loop"): void {
    const first = this.#firstStart;
    if (first === undefined) return;
    if (cause === "timeout" && !first.timedOut.has(error.instance)) {
      first.timedOut.add(error.instance);
      return;
    }
    this.#firstStart = undefined;
    first.reject(error);
  }
}
