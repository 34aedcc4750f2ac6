import type { HeartbeatSettings, StartParallelism } from "../../src/options/life-options.ts";
import { isWorkerEvent, type WorkerEvent } from "../../src/supervisor/events.ts";
import { Supervisor } from "../../src/supervisor/supervisor.ts";
import { FakeWorker } from "./fake-worker.ts";
import { ManualClock } from "./manual-clock.ts";

/** Of the supervisors here. */
export const restart = {
  delayMs: 100,
  maxDelayMs: 1_000,
  stableAfterMs: 10_000,
  maxCrashes: 3,
  crashLoopDelayMs: 30_000,
};

export interface SupervisedOptions {
  readonly startParallelism?: StartParallelism;
  readonly heartbeat?: HeartbeatSettings | false;
  readonly ports?: readonly number[];
  readonly hears?: boolean;
}

/** A supervisor of workers that are none, on a clock that is moved by hand. It is in its first start. */
export class Supervised {
  readonly clock = new ManualClock();
  /** Every worker that was launched, in that order. */
  readonly workers: FakeWorker[] = [];
  readonly events: WorkerEvent[] = [];
  readonly rosters: string[][] = [];
  readonly fates: string[] = [];
  readonly removed: string[] = [];
  lingering: readonly string[] = [];
  keepsSessions = false;
  firstResult: "pending" | "ready" | Error = "pending";
  readonly supervisor: Supervisor;
  readonly first: Promise<void>;

  constructor({
    startParallelism = "all",
    heartbeat = false,
    ports = [3001, 3002],
    hears = true,
  }: SupervisedOptions = {}) {
    this.supervisor = new Supervisor({
      workers: {
        hears,
        addressOf: (id) => ({ kind: "unix", path: `/run/${id}.sock` }),
        launch: (start, observer) => {
          const worker = new FakeWorker(this.workers.length + 100, start, observer);
          this.workers.push(worker);
          return worker;
        },
        ended: (id) => void this.removed.push(id),
      },
      edition: () => ({ env: {}, cwd: "/srv" }),
      heartbeat,
      startTimeoutMs: 30_000,
      startParallelism,
      drainTimeoutMs: 10_000,
      restart,
      clock: this.clock,
      random: () => 1,
      keepsSessions: () => this.keepsSessions,
    });
    this.supervisor.subscribe((event) => {
      if (event.kind === "roster") {
        this.rosters.push(event.taking.map((endpoint) => endpoint.id));
        this.lingering = event.lingering.map((endpoint) => endpoint.id);
      } else if (isWorkerEvent(event)) this.events.push(event);
      else if (event.kind !== "vitals") this.fates.push(`${event.kind} ${event.endpoint.id}`);
    });
    this.first = this.supervisor.start({ public: 3000, own: ports });
    this.first.then(
      () => {
        this.firstResult = "ready";
      },
      (error: Error) => {
        this.firstResult = error;
      },
    );
  }

  worker(index: number): FakeWorker {
    return this.workers[index]!;
  }

  kinds(): readonly string[] {
    return this.events.map((event) => event.kind);
  }

  states(): readonly string[] {
    return this.supervisor.snapshot().map((instance) => instance.state);
  }

  /** Both, and what led to it is forgotten. */
  async allReady(): Promise<void> {
    this.worker(0).ready();
    this.worker(1).ready();
    await this.first;
    this.events.length = 0;
    this.rosters.length = 0;
  }
}
