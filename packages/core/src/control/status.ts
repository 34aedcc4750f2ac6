import type { AccessLogStatus } from "../access-log/access-log.ts";
import type { BalancerStatus, EndpointStatus } from "../balancer/status.ts";
import type { Span } from "../facts/history.ts";
import type { TrafficCounts } from "../facts/traffic-counts.ts";
import { isEligible } from "../health/state.ts";
import type { HubCounts } from "../hub/hub-counts.ts";
import type { WorkerVitals } from "../ipc/messages.ts";
import { idInBackend } from "../model/backend-endpoint-id.ts";
import type { CertificateFacts, CertificateSource } from "../model/certificate-facts.ts";
import type { InFlightStatus } from "../model/in-flight-status.ts";
import type { SpanExportStatus } from "../tracing/span-export.ts";
import { type SlotCounters, sum } from "./slot-counters.ts";
import type { Tallies } from "./tallies.ts";
import { type TrafficStatus, trafficStatus } from "./traffic-status.ts";

/**
 * - `starting`: its process runs and is not ready yet;
 * - `ready`: it takes traffic;
 * - `draining`: it finishes what is in flight and gets nothing new;
 * - `drained`: an operator keeps traffic from it, and nothing is in flight any more; its process runs;
 * - `unhealthy`: it is ready, but its health keeps traffic from it;
 * - `stopped`: it has no process, or one that is being ended; unless the cluster closes, a start follows;
 * - `done`: it has no process, since the last ended with one of `stopExitCodes`; it is started when somebody asks for it;
 * - `crash-loop`: it has no process, since several in a row died; it is started again after `retryInMs`.
 */
export type InstanceState =
  | "starting"
  | "ready"
  | "draining"
  | "drained"
  | "unhealthy"
  | "stopped"
  | "crash-loop"
  | "done";

/** How the last process of an instance ended. */
export interface InstanceExit {
  /** As in the event `exit`. */
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly agoMs: number;
}

export interface InstanceStatus {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly id: number;
  /** Where it is reached directly, on loopback; 0: nowhere, it gets no requests. */
  readonly port: number;
  readonly pid: number | null;
  readonly state: InstanceState;
  /** Processes that were started in place of an earlier one. */
  readonly restarts: number;
  /** Requests and tunnels that the front has open on it. */
  readonly inFlight: number;
  /** Attempts that the front made on this instance, restarts included. */
  readonly requests: number;
  /** Those of them that failed: no connection, a broken one, a time-out, or a 5xx. */
  readonly failures: number;
  /** Requests that came to it in hand-off mode, belonged to another instance by their affinity, and were relayed there. */
  readonly relayed: number;
  /** What it sent to the primary under lb's own mark and was no message; see the event `messages-dropped`. */
  readonly droppedMessages: number;
  /**
   * How its process is, as it last said; `null` before it said anything. Of a program (`exec`) and what it has started, as the
   * system has it: processors and memory alone.
   */
  readonly vitals: WorkerVitals | null;
  /** Since it became ready; 0 while it is not. */
  readonly uptimeMs: number;
  /** `null`: none of its processes has ended. */
  readonly lastExit: InstanceExit | null;
  /** Until it is started again after its process died; `null` while nothing is awaited. */
  readonly retryInMs: number | null;
}

/** A certificate that is in use. */
export interface CertificateStatus {
  /** Hosts and addresses that it is for. */
  readonly names: readonly string[];
  /** As `"2027-01-31T12:00:00.000Z"`. */
  readonly validFrom: string;
  readonly expiresAt: string;
  /** Who has signed it. */
  readonly issuer: string;
  readonly source: CertificateSource;
  /** What clients may not like of it or its chain; `null`: nothing that can be told here. */
  readonly problem: string | null;
}

/** The certificate that an authority is asked for (option `https.acme`). */
export interface AcmeStatus {
  readonly domains: readonly string[];
  readonly directory: string;
  /**
   * - `kept`: it is there, and renewed at `renewsAt`;
   * - `ordering`: one is being asked for;
   * - `failed`: that came to nothing, `attempts` times in a row, and is tried again at `renewsAt`.
   */
  readonly state: "kept" | "ordering" | "failed";
  readonly renewsAt: string | null;
  readonly attempts: number;
  /** Why it failed last. */
  readonly error: string | null;
}

/** A place where the front accepts. */
export interface ListenerStatus {
  /** As `http://127.0.0.1:3000`, `unix:/run/app.sock` or `fd:3`. */
  readonly url: string;
  readonly https: boolean;
  /** Proxies begin connections with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
}

/** The public port with TLS. */
export interface HttpsStatus {
  /** 0: a Unix socket. */
  readonly port: number;
  readonly url: string;
  /** It speaks HTTP/2 with clients that offer it. */
  readonly http2: boolean;
  readonly certificates: readonly CertificateStatus[];
  /** Whom the certificate for localhost (`https.localhost`) is trusted by: a PEM file. `null`: there is none. */
  readonly localRoot: string | null;
  /** `null`: no authority is asked for any. */
  readonly acme: AcmeStatus | null;
}

export function shownCertificate({ validFrom, expiresAt, problem, ...facts }: CertificateFacts): CertificateStatus {
  const at = (ms: number) => new Date(ms).toISOString();
  return { ...facts, validFrom: at(validFrom), expiresAt: at(expiresAt), problem: problem ?? null };
}

/** A reload, or the restart of an instance, while it goes on. */
export interface ReloadStatus {
  /** Instances that have been replaced, of how many. */
  readonly done: number;
  readonly total: number;
  /** Those whose new process may still be taken back. */
  readonly replacing: readonly ReplacementStatus[];
  /** Of processes that were there when it began, since then. */
  readonly before: VersionFigures;
  /** Of those that were started since. */
  readonly after: VersionFigures;
}

export interface ReplacementStatus {
  readonly instance: number;
  /** As in the event `reload`. */
  readonly step: "starting" | "canary" | "routed" | "watched";
  readonly forMs: number;
}

/** What requests came to at the processes of one version. */
export interface VersionFigures {
  readonly requests: number;
  /** Of them: without a response, or a 5xx. */
  readonly failures: number;
  /** Of them: 4xx. */
  readonly clientErrors: number;
  /** To the head of the response, on average; `null`: none was measured. */
  readonly meanMs: number | null;
}

/** Plain JSON. */
export interface ClusterStatus {
  readonly name: string;
  readonly mode: "proxy" | "handoff";
  /** Of the public port; `""` and 0 where it listens on none. */
  readonly host: string;
  readonly port: number;
  /** The public port with TLS; `null`: there is none. */
  readonly https: HttpsStatus | null;
  /** Where it can be reached from this machine, the first such place of `listeners`. */
  readonly url: string;
  /** All places where it accepts; none until they are open. */
  readonly listeners: readonly ListenerStatus[];
  /** Where its admin listener is, as `http://127.0.0.1:9464` or `unix:/run/admin.sock`; `null`: there is none. */
  readonly admin: string | null;
  readonly strategy: string;
  /** The primary's. */
  readonly pid: number;
  /** `starting` until all instances were ready for the first time; `closing` from the beginning of the end on. */
  readonly phase: "starting" | "running" | "closing";
  /** How far a reload, or the restart of an instance, is; `null` while there is none. */
  readonly reload: ReloadStatus | null;
  /** Since all instances were ready for the first time. */
  readonly uptimeMs: number;
  /**
   * How often the front answered in place of the app, by status: 400, 408, 431 and the like to what is no request, 502, 503
   * and 504 where no instance answered, health checks among them. In hand-off mode of connections that no instance has.
   */
  readonly answered: Readonly<Record<string, number>>;
  /** Requests that wait because no instance takes any. */
  readonly waiting: number;
  /** What has passed through it, and how long that took. */
  readonly traffic: TrafficStatus;
  /** Every `maxRequestsInFlight` that there is, of all, of routes and of backends. */
  readonly limits: readonly InFlightStatus[];
  /** The option `accessLog`; `null`: there is none. */
  readonly accessLog: AccessLogStatus | null;
  /** The option `tracing`: what has become of its spans; `null`: none are made. */
  readonly tracing: SpanExportStatus | null;
  /** How the primary's own process is, in which all of that passes; `null` until it was measured. */
  readonly vitals: WorkerVitals | null;
  /** What has passed between its instances (channels, shared counters, Socket.IO's events). */
  readonly hub: HubCounts;
  /** How often what happened since it began: ends of processes, ejections, reloads. */
  readonly tallies: Tallies;
  readonly instances: readonly InstanceStatus[];
  /** Those that the options name besides the app. */
  readonly backends: readonly BackendStatus[];
}

/** Of a status, how those are that answer requests: without what was counted of these, which is dear where there are many routes. */
export type Standing = Pick<ClusterStatus, "instances" | "backends"> & {
  readonly certificates: readonly CertificateStatus[];
};

/** A named backend, or one of several apps. */
export interface BackendStatus {
  readonly name: string;
  /**
   * What it is: `endpoints` elsewhere, or run here as a `program` (`exec`), an `app` of Node.js (`entry`), or a `worker`, which gets no
   * requests.
   */
  readonly kind: "endpoints" | SupervisedGroup["kind"];
  /** Requests that wait because none of its endpoints takes any. */
  readonly waiting: number;
  readonly endpoints: readonly BackendEndpointStatus[];
  /** If it is run here: its instances, whose processes its endpoints are. Else none. */
  readonly instances: readonly InstanceStatus[];
  /** How far a reload of these is; `null` while there is none. */
  readonly reload: ClusterStatus["reload"];
}

export interface BackendEndpointStatus {
  /** Behind it, for one of several addresses of a name, which: `"http://api.internal:80 at 10.0.0.1"`. */
  readonly url: string;
  readonly weight: number;
  /** As it was given; `null`: none was. */
  readonly zone: string | null;
  /** `unhealthy`: its health keeps traffic from it; `draining`: it is no endpoint any more, and finishes what is in flight. */
  readonly state: "ready" | "unhealthy" | "draining";
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
}

/** Instances of one program as their supervisor sees them, beside the app's. */
export interface SupervisedGroup {
  readonly kind: "program" | "app" | "worker";
  readonly instances: readonly SupervisedInstance[];
  /** Counts of endpoints that the balancer has forgotten. */
  readonly departed: SlotCounters;
}

/** An instance as its supervisor sees it. */
interface SupervisedInstance {
  readonly id: number;
  readonly port: number;
  readonly pid: number | null;
  /** `held`: ready, and kept out of rotation by an operator. */
  readonly state: Exclude<InstanceState, "drained" | "unhealthy"> | "held";
  readonly restarts: number;
  readonly uptimeMs: number;
  readonly vitals: WorkerVitals | undefined;
  /** It is ready, and has been silent for so long that it gets no traffic. */
  readonly silent: boolean;
  readonly lastExit: InstanceExit | undefined;
  readonly retryInMs: number | undefined;
}

export interface InstanceSources {
  readonly instances: readonly SupervisedInstance[];
  readonly balancer: BalancerStatus;
  /** Counts of endpoints that the balancer has forgotten. */
  readonly departed: SlotCounters;
  /** By slot. */
  readonly relayed: (slot: number) => number;
  readonly droppedMessages: (slot: number) => number;
}

type Facts = Omit<ClusterStatus, "reload" | "waiting" | "traffic" | "vitals" | "instances" | "backends">;

export interface StatusSources extends InstanceSources, Facts {
  /** Of this backend's program; of the app. */
  readonly reload: (backend?: string) => ClusterStatus["reload"];
  /** Of named backends, by name. */
  readonly backends: Readonly<Record<string, BalancerStatus>>;
  /** Those that are run here, by name; workers among them are no backends of the traffic's. */
  readonly groups: Readonly<Record<string, SupervisedGroup>>;
  readonly counts: TrafficCounts;
  /** Names of all routes there are. */
  readonly routes: readonly string[];
  readonly lastMinute: Span | undefined;
  readonly vitals: WorkerVitals | undefined;
}

export function clusterStatus(sources: StatusSources): ClusterStatus {
  const { instances, balancer, backends, groups, departed, relayed, droppedMessages, ...others } = sources;
  const { counts, routes, lastMinute, vitals, uptimeMs, reload, ...facts } = others;
  return {
    ...facts,
    reload: reload(),
    uptimeMs: Math.round(uptimeMs),
    waiting: balancer.waiting,
    traffic: trafficStatus({
      counts,
      routes,
      slots: instances.map((instance) => instance.id - 1),
      inFlight: inFlightOf([balancer, ...Object.values(backends)]),
      lastMinute,
    }),
    vitals: vitals ?? null,
    instances: instanceStatuses({ instances, balancer, departed, relayed, droppedMessages }),
    backends: backendStatuses({ backends, groups, reload }),
  };
}

export function backendStatuses({
  backends,
  groups,
  reload,
}: Pick<StatusSources, "backends" | "groups" | "reload">): readonly BackendStatus[] {
  const names = [...new Set([...Object.keys(backends), ...Object.keys(groups)])];
  return names.map((name) => {
    const [group, counted] = [groups[name], backends[name]];
    return {
      name,
      kind: group?.kind ?? "endpoints",
      waiting: counted?.waiting ?? 0,
      endpoints: counted?.endpoints.map(backendEndpoint) ?? [],
      instances: group === undefined ? [] : groupInstances(group, counted ?? { endpoints: [] }),
      reload: reload(name),
    };
  });
}

export function instanceStatuses({
  instances,
  balancer,
  departed,
  relayed,
  droppedMessages,
}: InstanceSources): readonly InstanceStatus[] {
  return instances.map((instance) => {
    const slot = instance.id - 1;
    const counts = { relayed: relayed(slot), droppedMessages: droppedMessages(slot) };
    return { ...instanceStatus(instance, balancer, departed), ...counts };
  });
}

export function inFlightOf(balancers: readonly BalancerStatus[]): number {
  return balancers.flatMap(({ endpoints }) => endpoints).reduce((sum, { inFlight }) => sum + inFlight, 0);
}

/** A slot has two endpoints for a while when a new worker serves and requests on its predecessor are still open. */
function instanceStatus(
  { id, port, pid, state, restarts, uptimeMs, vitals, silent, lastExit, retryInMs }: SupervisedInstance,
  balancer: Pick<BalancerStatus, "endpoints">,
  departed: SlotCounters,
): Omit<InstanceStatus, "relayed" | "droppedMessages"> {
  const slot = id - 1;
  const endpoints = balancer.endpoints.filter(({ endpoint }) => endpoint.slot === slot);
  const { requests, failures } = endpoints.reduce(sum, departed.of(slot));
  const serving = endpoints.find(({ phase }) => phase === "serving");
  const unhealthy = silent || (serving !== undefined && !isEligible(serving.health));
  const inFlight = endpoints.reduce((total, endpoint) => total + endpoint.inFlight, 0);
  return {
    id,
    port,
    pid,
    state: publicState(state, inFlight, unhealthy),
    restarts,
    inFlight,
    requests,
    failures,
    vitals: vitals ?? null,
    uptimeMs,
    lastExit: lastExit ?? null,
    retryInMs: retryInMs ?? null,
  };
}

/** What is counted of the app alone, these never did. */
function groupInstances(
  { instances, departed }: SupervisedGroup,
  balancer: Pick<BalancerStatus, "endpoints">,
): InstanceStatus[] {
  return instances.map((instance) => ({
    ...instanceStatus(instance, balancer, departed),
    relayed: 0,
    droppedMessages: 0,
  }));
}

function backendEndpoint(status: EndpointStatus): BackendEndpointStatus {
  const { endpoint, phase, health, inFlight, requests, failures } = status;
  const state = phase !== "serving" ? "draining" : isEligible(health) ? "ready" : "unhealthy";
  const { id, weight, zone = null } = endpoint;
  return { url: idInBackend(id), weight, zone, state, inFlight, requests, failures };
}

function publicState(state: SupervisedInstance["state"], inFlight: number, unhealthy: boolean): InstanceState {
  if (state === "held") return inFlight === 0 ? "drained" : "draining";
  return state === "ready" && unhealthy ? "unhealthy" : state;
}
