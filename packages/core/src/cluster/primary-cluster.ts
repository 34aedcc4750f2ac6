import type { AutoscaleEvent } from "./autoscaler.ts";
import type { ReloadReport } from "./cluster-operations.ts";
import type { Listener } from "../control/cluster-events.ts";
import type { ClusterStatus, InstanceStatus } from "../control/status.ts";
import type { RefusalNotice } from "../front/refusal-notice.ts";
import type { HealthState } from "../health/state.ts";
import type { LbError } from "../model/errors.ts";
import type { ReloadOptions } from "../options/reload-options.ts";
import type {
  AgentFaultEvent,
  CrashLoopEvent,
  ExitEvent,
  MessageEvent,
  ResponsiveEvent,
  StartFailedEvent,
  StartHintEvent,
  UnresponsiveEvent,
} from "../supervisor/events.ts";
import type { OutputLine } from "../supervisor/output-history.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";

/** The events of a {@link PrimaryCluster}, and what a listener gets. */
export interface ClusterEventMap {
  /** The state or the process of an instance has changed: this is how it is now. */
  readonly instance: InstanceStatus;
  /** The cluster as a whole got to its next phase. */
  readonly phase: ClusterPhase;
  /** An instance was taken out of rotation for its health, or is back. */
  readonly health: HealthEvent;
  readonly exit: ExitEvent;
  readonly "start-failed": StartFailedEvent;
  /** A start takes long, and this is what is known of why. */
  readonly "start-hint": StartHintEvent;
  readonly "crash-loop": CrashLoopEvent;
  /** The app in an instance called `process.send`. */
  readonly message: MessageEvent;
  /** With a function as the option `output`: an instance wrote this. */
  readonly output: OutputLine;
  readonly unresponsive: UnresponsiveEvent;
  /** It speaks again, and gets traffic. */
  readonly responsive: ResponsiveEvent;
  /** An instance has more memory than `maxMemoryMb` allows, and is being replaced. */
  readonly "memory-exceeded": { readonly instance: number; readonly rssBytes: number };
  /** An instance did not read what others sent it, and was cut off; it connects again, and is told (`HubChannel.onGap`). */
  readonly "hub-overflow": { readonly instance: number; readonly queuedBytes: number };
  /**
   * The library's own code in an instance failed. It was caught: a connection or a request ended for it, and the app goes
   * on. Told at most once a second an instance. It is our mistake: please report it.
   */
  readonly "agent-fault": AgentFaultEvent;
  /** The worker violated the protocol between it and the primary; it is killed and replaced. */
  readonly "link-broken": LinkBrokenEvent;
  /** A key function of the affinity threw or returned no text; the request went on without a key. */
  readonly "affinity-key-failed": LbError;
  /** The number of instances was changed by the option `autoscale`, or could not be. */
  readonly autoscale: AutoscaleEvent;
  /** How a reload, or a restart of one instance, gets on. */
  readonly reload: ReloadProgress;
  /** In hand-off mode, once: this Node cannot move connections, so they are closed where they would have moved. */
  readonly "cannot-move": { readonly detail: string };
  /** The control socket could not be opened, so the `lb` command does not find this cluster; all else works. */
  readonly "control-failed": LbError | Error;
  /** Another cluster of this name runs: to the `lb` command this one is called otherwise. */
  readonly "control-renamed": { readonly from: string; readonly to: string };
  /**
   * What is to end the instances if this process is killed could not be started; they end by themselves then, but for one that is
   * blocked, and for what they started.
   */
  readonly "guard-failed": Error;
  /** Connections were refused with 503, because `limits.maxConnections` are open; told at most every 10 seconds. */
  readonly "connections-refused": RefusalNotice;
  /** Requests were refused with 503, because no instance could take them; told at most every 10 seconds. */
  readonly "requests-refused": RequestsRefusedEvent;
  /** The front could not accept connections, e.g. for want of file descriptors. It goes on trying. */
  readonly "accept-failed": Error;
}

/**
 * - `starting`: the public port is open, and the instances start for the first time;
 * - `running`: all of them were ready;
 * - `failed`: the start came to nothing, and what it started ends;
 * - `closing`: they are drained; `signal` if that is why;
 * - `closed`: all have ended.
 */
export type ClusterPhase =
  | { readonly phase: "starting" | "running" | "failed" | "closed" }
  | {
      readonly phase: "closing";
      readonly signal: NodeJS.Signals | undefined;
      /** Until the drain begins. */
      readonly delayMs: number;
      readonly graceMs: number;
    };

export interface HealthEvent {
  readonly instance: number;
  readonly from: HealthState;
  readonly to: HealthState;
}

export interface LinkBrokenEvent {
  readonly instance: number;
  /** `LB_LINK_PROTOCOL`, `LB_LINK_VERSION`, `LB_CHANNEL_BROKEN`. */
  readonly error: LbError;
}

export interface RequestsRefusedEvent {
  /**
   * - `wait-timeout`: they have waited for one for 5 seconds;
   * - `queue-full`: 1,024 others waited already.
   */
  readonly reason: "queue-full" | "wait-timeout";
  /** So many since this was last told. */
  readonly refused: number;
}

/** The cluster as the primary holds it. */
export interface PrimaryCluster {
  readonly role: "primary";
  /** The public port. */
  readonly port: number;
  /** Where the cluster can be reached from this machine. */
  readonly url: string;
  status(): ClusterStatus;
  on<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this;
  off<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this;
  /**
   * Replaces all workers by new ones of the same program, one after the other: each starts beside the old one, has to
   * be ready and healthy, takes over, and is watched before the old one drains. On failure the old ones go on serving.
   * Reloads take turns with one another, with `restart` and with `scale`. SIGHUP does the same.
   *
   * @throws ReloadError (`LB_RELOAD_…`) says which step failed at which instance, and what was replaced all the same
   * @throws OptionError
   */
  reload(options?: ReloadOptions): Promise<ReloadReport>;
  /** The same for one instance, 1…N. */
  restart(id: number): Promise<void>;
  /**
   * Changes the number of instances. Resolves when the new ones are ready, or those too many have drained and ended:
   * they are the ones with the highest numbers. If a new one cannot start, all stays as it was.
   *
   * @throws StartError for the reasons that `cluster()` gives
   * @throws LbError `LB_PORT_BUSY`: the consecutive ports that the new ones need are taken
   * @throws LbError `LB_CLOSED`: the cluster was closed meanwhile
   */
  scale(instances: number): Promise<void>;
  /**
   * Takes an instance out of rotation, until `resume`. Its process stays, through restarts and reloads too. Resolves
   * when nothing is in flight on it any more; WebSockets are not ended for that.
   *
   * @throws LbError `LB_LAST_INSTANCE`: no other one takes traffic
   */
  drain(id: number): Promise<void>;
  /**
   * Gives the app in an instance a message, which its `process.on("message")` hears; what it says by `process.send` is
   * the event `message`. False: that instance does not serve at the moment.
   *
   * @throws OptionError if there is no such instance; TypeError for what JSON cannot express
   */
  send(id: number, message: unknown): boolean;
  /** The last lines that the instances wrote, or one of them, oldest first. */
  output(options?: { readonly lines?: number; readonly instance?: number }): readonly OutputLine[];
  /** Reads on what the instances write, or holds them back: for whoever cannot get rid of it as fast. */
  holdOutput(held: boolean): void;
  /** Puts an instance that was drained back into rotation. */
  resume(id: number): void;
  /**
   * Takes no new connections, lets requests finish, then drains and ends the workers. Resolves when all of it is gone;
   * never rejects. What is still open after `graceMs` (default: the option `drainTimeoutMs`) is cut. A further call
   * changes nothing and resolves with the first.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
