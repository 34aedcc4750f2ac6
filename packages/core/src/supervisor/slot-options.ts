import type { WorkerVitals } from "../ipc/messages.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { StartError } from "../model/start-error.ts";
import type { Edition } from "./edition.ts";
import type { WorkerEvent } from "./events.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import type { ToldMetrics, WorkerObserver, WorkerProcess, WorkerStart } from "./worker-contract.ts";

export interface SlotOptions {
  /** 0-based. */
  readonly slot: number;
  readonly port: number;
  /** An instance of another primary has it until then. Default: none has. */
  readonly elsewhere?: Promise<void> | undefined;
  /** A port for a worker that starts while its predecessor holds the slot's own. */
  readonly sparePort: () => Promise<number>;
  /** What those are started as that take no other's place. */
  readonly edition: () => Edition;
  readonly startTimeoutMs: number;
  /** For a worker that was asked from outside to end. */
  readonly drainTimeoutMs: number;
  readonly policy: RestartPolicy;
  readonly clock: Clock;
  /** Its workers hear what they are told; see {@link WorkerKind}. */
  readonly hears: boolean;
  /** Who ends by itself with one of these has done its work, and is not started again. */
  readonly stopExitCodes: readonly number[];
  /** Makes the endpoint of an incarnation that listens on this port, not yet routable. */
  readonly endpoint: (incarnation: number, port: number) => Endpoint;
  readonly launch: (start: SlotStart, observer: WorkerObserver) => WorkerProcess;
  readonly observer: SlotObserver;
}

/** What a slot knows of a start. */
export type SlotStart = Pick<WorkerStart, "endpoint" | "port" | "isSuccessor" | "edition">;

export interface SlotObserver {
  slotEvent(event: WorkerEvent): void;
  /** The slot's endpoints came or went. Called before a worker is told to drain. */
  slotRouteChanged(): void;
  /** A start came to nothing. Crashes and time-outs may pass; what the worker reported itself will not. */
  slotStartFailed(error: StartError, cause: "reported" | "timeout" | "crash-loop"): void;
  /** It is empty, and a worker is started after a pause. */
  slotAwaitsRestart(): void;
  /** A worker can serve from now on. */
  slotReady(endpoint: Endpoint): void;
  /** It is ended on an order. */
  slotDoomed(endpoint: Endpoint): void;
  slotVitals(endpoint: Endpoint, vitals: WorkerVitals): void;
  /** The app in it has metrics of its own, or told them. */
  slotMetrics(endpoint: Endpoint, told: ToldMetrics | undefined): void;
  /** A process is gone for good. */
  slotExited(endpoint: Endpoint, port: number): void;
}
