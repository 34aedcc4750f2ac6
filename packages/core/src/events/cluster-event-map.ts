import type { SourceNotice } from "../backends/endpoint-source.ts";
import type { CertificateStatus, InstanceStatus } from "../control/status.ts";
import type { RefusalNotice } from "../front/refusal-notice.ts";
import type { HealthState } from "../health/state.ts";
import type { Alert } from "../model/alert.ts";
import type { LbError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { QuarantinedRequest } from "../model/quarantined-request.ts";
import type { AutoscaleTarget } from "../options/autoscale-options.ts";
import type { OptionChange } from "../options/option-changes.ts";
import type {
  AgentFaultEvent,
  BrokenEvent,
  CrashLoopEvent,
  ExitEvent,
  MessageEvent,
  ResponsiveEvent,
  StartFailedEvent,
  StartHintEvent,
  UnresponsiveEvent,
} from "../supervisor/events.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import type { AdminAction } from "./admin-action.ts";

/** The cluster's size is changed, or was to be. */
export interface AutoscaleEvent {
  /** Whose program it is; absent: it is the app. */
  readonly backend?: string;
  readonly from: number;
  readonly to: number;
  /** What was measured, on average over the instances that take traffic. */
  readonly load: number;
  readonly target: AutoscaleTarget;
  /** It could not be done; it stays as it was, and is tried again later. */
  readonly error?: Error;
}

export interface HealthEvent {
  readonly instance: number;
  readonly from: HealthState;
  readonly to: HealthState;
}

export interface BackendProgramEvent {
  /** The name of the backend. */
  readonly backend: string;
  /** Of the instance, 1…N. */
  readonly instance: number;
  readonly event:
    | { readonly kind: "ready"; readonly pid: number | undefined }
    | ExitEvent
    | StartFailedEvent
    | StartHintEvent
    | CrashLoopEvent
    /** Of an app of Node.js. */
    | UnresponsiveEvent
    | ResponsiveEvent
    | AgentFaultEvent
    | BrokenEvent
    | MessageEvent;
}

export interface BackendHealthEvent {
  /** The name of a backend. */
  readonly backend: string;
  /** The URL of one of its endpoints. */
  readonly endpoint: string;
  readonly from: HealthState;
  readonly to: HealthState;
}

export type BackendLookupEvent = SourceNotice & {
  /** The name of a backend. */
  readonly backend: string;
};

export interface BackendUntrustedEvent {
  /** The name of a backend, and the URL of one of its endpoints. */
  readonly backend: string;
  readonly endpoint: string;
  /** `LB_UNTRUSTED`; its message says why. */
  readonly error: LbError;
  /** So many connections were given up since this was last told. */
  readonly refused: number;
}

export interface LinkBrokenEvent {
  /** Whose instance it is; absent: the app's. */
  readonly backend?: string;
  readonly instance: number;
  /** `LB_LINK_PROTOCOL`, `LB_LINK_VERSION`, `LB_CHANNEL_BROKEN`. */
  readonly error: LbError;
}

export interface MessagesDroppedEvent {
  readonly instance: number;
  /** So many since this was last told. */
  readonly dropped: number;
}

export interface RequestsLimitedEvent {
  /** Whose limit it was; undefined: that of all routes without one of their own. */
  readonly route: string | undefined;
  /** They passed all the same. */
  readonly dryRun: boolean;
  /** So many since this was last told. */
  readonly limited: number;
}

export interface RequestsRefusedEvent {
  /**
   * - `wait-timeout`: they have waited for one for `queue.maxWaitMs`;
   * - `queue-full`: `queue.maxWaiting` others waited already;
   * - `overload`: as many waited already as a `maxRequestsInFlight` takes that is adaptive.
   */
  readonly reason: "queue-full" | "wait-timeout" | "overload";
  /** So many may be in flight now by a `maxRequestsInFlight`, and the queue is its own; absent: no endpoint could take them. */
  readonly limit?: number;
  /** Whose that is, or whose endpoints those are; neither: the cluster's. */
  readonly route?: string;
  readonly backend?: string;
  /** So many since this was last told. */
  readonly refused: number;
}

export interface CertificateOrderedEvent {
  readonly domains: readonly string[];
  readonly directory: string;
  /** There is none for them yet: their handshakes are refused until it is there. */
  readonly first: boolean;
}

export interface CertificateOrderFailedEvent {
  /** There is none for them yet: their handshakes are refused. */
  readonly first: boolean;
  readonly error: LbError;
  /** As `"2027-01-31T12:00:00.000Z"`. */
  readonly retryAt: string;
}

export interface AlertFailedEvent {
  /** Of the option `alerts.to`; without what is secret. */
  readonly target: string;
  /** Why, the last time. */
  readonly error: string;
  /** The message is sent again so much later; absent: no more. */
  readonly retryInMs?: number;
  /** Messages that were given up since this was last told. */
  readonly lost: number;
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
      /** Another primary, this process, has the cluster; what is still open here drains. Absent: it ends. */
      readonly successor?: number | undefined;
    };

export interface ReloadEvent extends ReloadProgress {
  /** Whose program is reloaded; absent: it is the app. */
  readonly backend?: string;
}

/**
 * - `started`: another primary is started;
 * - `finished`: it has the cluster, and this one drains;
 * - `failed`: it has ended, for this reason, and this one goes on.
 */
export type UpgradeEvent =
  | { readonly step: "started" }
  | { readonly step: "finished"; readonly pid: number; readonly durationMs: number }
  | { readonly step: "failed"; readonly error: LbError };

/** The events of a {@link PrimaryCluster}, and what a listener gets. */
export interface ClusterEventMap {
  /** The state or the process of an instance has changed: this is how it is now. */
  readonly instance: InstanceStatus;
  /** The cluster as a whole got to its next phase. */
  readonly phase: ClusterPhase;
  /** An instance was taken out of rotation for its health, or is back. */
  readonly health: HealthEvent;
  /** What happens to the instances of a named backend that is run here (`exec`, `entry`), or of one of several `apps`. */
  readonly "backend-program": BackendProgramEvent;
  /** The same of an endpoint of a named backend. */
  readonly "backend-health": BackendHealthEvent;
  /** Where endpoints of a named backend are could not be found out, or can again; or some of them are not used. */
  readonly "backend-lookup": BackendLookupEvent;
  /** An endpoint of a named backend could not show that it is the one that was meant, and is given nothing. */
  readonly "backend-untrusted": BackendUntrustedEvent;
  /**
   * The files of its certificates had changed. Connections that are made from now on go by the new ones; or, with an `error`, by the
   * old ones, since the new ones cannot be used.
   */
  readonly "backend-certificates": { readonly backend: string; readonly error: LbError | undefined };
  readonly exit: ExitEvent;
  readonly "start-failed": StartFailedEvent;
  /** A start takes long, and this is what is known of why. */
  readonly "start-hint": StartHintEvent;
  readonly "crash-loop": CrashLoopEvent;
  /** The app in an instance called `process.send`. */
  readonly message: MessageEvent;
  /** With a function as the option `output`: an instance wrote this. */
  readonly output: OutputLine;
  /**
   * A program (`exec`) listens on all addresses, `place`, where other machines may reach it past lb. Told once: the others are likely to
   * do the same.
   */
  readonly "port-exposed": { readonly backend?: string; readonly instance: number; readonly place: string };
  readonly unresponsive: UnresponsiveEvent;
  /** It speaks again, and gets traffic. */
  readonly responsive: ResponsiveEvent;
  /** An instance has more memory than `maxMemoryMb` allows, and is being replaced. */
  readonly "memory-exceeded": { readonly backend?: string; readonly instance: number; readonly rssBytes: number };
  /** An instance did not read what others sent it, and was cut off; it connects again, and is told (`HubChannel.onGap`). */
  readonly "hub-overflow": { readonly backend?: string; readonly instance: number; readonly queuedBytes: number };
  /**
   * The library's own code in an instance failed. It was caught: a connection or a request ended for it, and the app goes
   * on. Told at most once a second an instance. It is our mistake: please report it.
   */
  readonly "agent-fault": AgentFaultEvent;
  /**
   * An instance sent messages to the primary that are none, under the mark of lb's own: its app does that, or has loaded
   * another version of lb. Nothing else became of them. Told at most every 10 seconds an instance.
   */
  readonly "messages-dropped": MessagesDroppedEvent;
  /** The worker violated the protocol between it and the primary; it is killed and replaced. */
  readonly "link-broken": LinkBrokenEvent;
  /** A key function of the affinity threw or returned no text; the request went on without a key. */
  readonly "affinity-key-failed": LbError;
  /** The number of instances was changed by the option `autoscale`, or could not be. */
  readonly autoscale: AutoscaleEvent;
  /** How a reload, or a restart of one instance, gets on. */
  readonly reload: ReloadEvent;
  /** How far it is that another primary takes the place of this one (`lb upgrade`). */
  readonly upgrade: UpgradeEvent;
  /** In hand-off mode, once: this Node cannot move connections, so they are closed where they would have moved. */
  readonly "cannot-move": { readonly detail: string };
  /** The control socket could not be opened, so the `lb` command does not find this cluster; all else works. */
  readonly "control-failed": LbError | Error;
  /** Another cluster of this name runs: to the `lb` command this one is called otherwise. */
  readonly "control-renamed": { readonly from: string; readonly to: string };
  /** The admin listener could not be opened at any of its usual ports; all else works. */
  readonly "admin-failed": LbError;
  /** The cluster goes by other options now: `apply()`, `lb config apply`. Secrets are not among what they are. */
  readonly "options-applied": { readonly changes: readonly OptionChange[] };
  /** Somebody had something done by the admin listener, or was refused it. */
  readonly "admin-action": AdminAction;
  /**
   * What is to end the instances if this process is killed could not be started; they end by themselves then, but for one that is
   * blocked, and for what they started.
   */
  readonly "guard-failed": Error;
  /** Connections were refused with 503, because `limits.maxConnections` are open; told at most every 10 seconds. */
  readonly "connections-refused": RefusalNotice;
  /** Requests were refused with 503, because no instance could take them; told at most every 10 seconds. */
  readonly "requests-refused": RequestsRefusedEvent;
  /** Connections were closed at once, because their clients are on the deny list; told at most every 10 seconds. */
  readonly "connections-denied": { readonly denied: number };
  /** Requests did not pass a `rateLimit`; told at most every 10 seconds of each. */
  readonly "requests-limited": RequestsLimitedEvent;
  /** Two instances died while they had a request like this, the second while nobody else was there; see `quarantine`. */
  readonly "request-quarantined": QuarantinedRequest;
  /** The key function of a `rateLimit` threw, or returned what is no text, for so many requests, which were not limited. */
  readonly "rate-limit-key-failed": { readonly error: LbError; readonly failed: number };
  /**
   * So many lines of the `accessLog` were lost, last for this reason, if it is known: there was no room any more behind what could not
   * be written, or one of its functions threw; told at most every 10 seconds.
   */
  readonly "access-log-dropped": { readonly dropped: number; readonly error?: Error };
  /**
   * So many spans of `tracing` were lost: the receiver does not take them, for this reason, or not as fast as they come; told at most
   * every 10 seconds.
   */
  readonly "spans-dropped": { readonly dropped: number; readonly error?: Error };
  /**
   * Connections of HTTP/2 were ended, whose clients gave up requests or sent PING and SETTINGS faster than `http2` allows, or frames
   * without end that ask for nothing; told at most every 10 seconds.
   */
  readonly "floods-stopped": { readonly stopped: number };
  /** Connections were closed, because `https.maxHandshakes` handshakes were under way; told at most every 10 seconds. */
  readonly "handshakes-refused": { readonly refused: number };
  /** New handshakes get these: the certificates' files had changed, or an authority has given one. */
  readonly "certificates-renewed": { readonly certificates: readonly CertificateStatus[] };
  /** The certificates' files have changed, and cannot be used; the old ones serve on. `LB_CERTIFICATE`. */
  readonly "certificates-failed": LbError;
  /** A certificate authority (`https.acme`) is asked for a certificate. */
  readonly "certificate-ordered": CertificateOrderedEvent;
  /** It gave none; what there is serves on, and it is asked again. `LB_ACME_…`. */
  readonly "certificate-order-failed": CertificateOrderFailedEvent;
  /** Something is wrong, of what the option `alerts` is about, or is over. Whoever is told by messages may be told later, or of several at once. */
  readonly alert: Alert;
  /** A message about alerts did not come through; told of its first attempt and of its last. */
  readonly "alert-failed": AlertFailedEvent;
  /** The front could not accept connections, e.g. for want of file descriptors. It goes on trying. */
  readonly "accept-failed": Error;
}
