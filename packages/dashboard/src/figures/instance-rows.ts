import type { Sample } from "../api/status-feed.ts";
import type { ClusterStatus, InstanceState, InstanceStatus } from "../api/types.ts";
import { duration } from "./format.ts";
import { ratesBetween } from "./rates.ts";

/** One line of the table of instances. */
export interface InstanceRow {
  readonly key: string;
  /** The backend whose program it is; undefined: the app. */
  readonly backend: string | undefined;
  readonly id: number;
  readonly state: InstanceState;
  /** What there is to say of the state besides its name. */
  readonly note: string | undefined;
  readonly pid: number | null;
  readonly port: number;
  readonly requestsPerSecond: number | undefined;
  readonly failureShare: number | undefined;
  /** Since the cluster began. */
  readonly p95: number | null | undefined;
  readonly inFlight: number;
  readonly connections: number | undefined;
  readonly tunnels: number | undefined;
  readonly sessions: number | undefined;
  readonly cpu: number | undefined;
  readonly rssBytes: number | undefined;
  readonly loopLagMs: number | undefined;
  readonly restarts: number;
  readonly uptimeMs: number;
}

interface Owned {
  readonly backend: string | undefined;
  readonly instance: InstanceStatus;
}

/** Of the app's instances, and of those of backends that are programs, in this order. */
export function instanceRows(samples: readonly Sample[]): readonly InstanceRow[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return [];
  const ms = last.at - first.at;
  const before = new Map(owned(first.status).map((one) => [keyOf(one), one.instance]));
  return owned(last.status).map((one) => {
    const { backend, instance } = one;
    const key = keyOf(one);
    const { id, state, pid, port, inFlight, vitals, restarts, uptimeMs } = instance;
    const from = before.get(key);
    const rates = from === undefined || ms <= 0 ? undefined : ratesBetween(from, instance, ms);
    const counts = backend === undefined ? last.status.traffic.instances[id] : undefined;
    return {
      key,
      backend,
      id,
      state,
      note: noteOf(instance),
      pid,
      port,
      requestsPerSecond: rates?.requestsPerSecond,
      failureShare: rates?.failureShare,
      p95: counts?.totalMs.p95,
      inFlight,
      connections: counts?.connections,
      tunnels: counts?.tunnels,
      sessions: vitals?.sessions,
      cpu: vitals?.cpu,
      rssBytes: vitals?.rssBytes,
      loopLagMs: vitals?.loopLagMs,
      restarts,
      uptimeMs,
    };
  });
}

function owned({ instances, backends }: ClusterStatus): readonly Owned[] {
  return [
    ...instances.map((instance) => ({ backend: undefined, instance })),
    ...backends.flatMap(({ name, instances: programs }) => programs.map((instance) => ({ backend: name, instance }))),
  ];
}

function keyOf({ backend, instance }: Owned): string {
  return backend === undefined ? String(instance.id) : `${backend} ${instance.id}`;
}

/** Why it is not ready, if that is known. */
function noteOf({ state, retryInMs, lastExit }: InstanceStatus): string | undefined {
  if (state === "ready") return undefined;
  const ended = lastExit === null ? undefined : `ended ${duration(lastExit.agoMs)} ago (${lastExit.reason})`;
  const again = retryInMs === null ? undefined : `again in ${duration(retryInMs)}`;
  const said = [ended, again].filter((part) => part !== undefined);
  return said.length === 0 ? undefined : said.join(", ");
}
