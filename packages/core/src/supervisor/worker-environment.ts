import type { GateFacts } from "../ipc/messages.ts";
import {
  type EventReach,
  encodeWorkerFacts,
  type StopSignal,
  type UnservingFacts,
  workerFactsVariable,
} from "../ipc/worker-facts.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { HeartbeatSettings } from "../options/life-options.ts";
import type { IntakeDirectory } from "./intake-directory.ts";
import type { WorkerStart } from "./worker-contract.ts";
import type { OutputReader } from "./worker-output.ts";

/** What is the same for all workers. */
export interface EnvironmentOptions {
  /** Which port the apps are told in `PORT`. */
  readonly portEnv: "own" | "public";
  /** Where the instances listen for direct traffic. */
  readonly host: string;
  readonly drainTimeoutMs: number;
  readonly stopSignal: StopSignal;
  readonly intakes: IntakeDirectory;
  /** Gets what the workers write; undefined: they write where this process does. */
  readonly output?: OutputReader | undefined;
  readonly heartbeat: HeartbeatSettings | false;
  /** Connections are handed to the workers, which see to this themselves. Undefined: proxy mode. */
  readonly gate: GateFacts | undefined;
  /** What the Engine.IO session ids of a worker have to begin with, if they are to tell where they live. */
  readonly sessionPrefix?: (endpoint: Endpoint) => string | undefined;
  /** Of Socket.IO servers in the workers; undefined: they are left alone. */
  readonly events?: EventReach | undefined;
  /** The field by which requests have their ids; undefined: they have none. */
  readonly requestIdHeader?: string | undefined;
  readonly appMetrics?: boolean | undefined;
  /** Workers make spans of requests that are sampled. Default: they do not. */
  readonly traced?: boolean;
  /** They serve nobody. Undefined: they listen. */
  readonly unserving?: UnservingFacts | undefined;
}

export function workerEnvironment(
  options: EnvironmentOptions,
  { endpoint, port, ownPort, publicPort, edition }: Omit<WorkerStart, "isSuccessor">,
): Record<string, string | undefined> {
  const { id, slot } = endpoint;
  const { host, portEnv, drainTimeoutMs, stopSignal, intakes, heartbeat, unserving } = options;
  const told = String(portEnv === "own" ? ownPort : publicPort);
  return {
    ...process.env,
    ...edition.env,
    // What this process was told is not for one that has no port.
    PORT: unserving === undefined ? told : undefined,
    INSTANCE_PORT: unserving === undefined ? String(ownPort) : undefined,
    HOST: host,
    INSTANCE_ID: String(slot + 1),
    NODE_APP_INSTANCE: String(slot),
    [workerFactsVariable]: encodeWorkerFacts({
      endpointId: id,
      slot,
      intakePath: intakes.pathFor(id),
      hubPath: intakes.hubPath,
      host,
      port,
      ownPort,
      publicPort,
      primaryPid: process.pid,
      drainTimeoutMs,
      stopSignal,
      pipedOutput: options.output !== undefined,
      heartbeatMs: heartbeat === false ? 0 : Math.round(heartbeat.intervalMs),
      handoff: options.gate !== undefined,
      sessionPrefix: options.sessionPrefix?.(endpoint),
      events: options.events,
      requestIdHeader: options.requestIdHeader,
      appMetrics: options.appMetrics === true ? true : undefined,
      traced: options.traced ?? false,
      unserving,
    }),
  };
}
