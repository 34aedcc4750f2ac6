import type { ClusterSettings } from "../../options/cluster-settings.ts";

/** What of a cluster the machine has to be good for. */
export interface Wanted {
  readonly name: string;
  readonly instances: number;
  readonly maxMemoryMb: number | undefined;
  readonly listeners: readonly WantedListener[];
  /** Connections that are taken at most. */
  readonly maxConnections: number;
  /** It opens connections of TCP to others than clients: to endpoints, or to programs that are its instances. */
  readonly connectsByTcp: boolean;
  /** Of endpoints, by host names. */
  readonly hosts: readonly string[];
  /** For which certificates are asked. */
  readonly domains: readonly string[];
}

export interface WantedListener {
  readonly host: string;
  readonly port: number;
}

export function wantedOf(settings: ClusterSettings): Wanted {
  const { name, instances, maxMemoryMb, exec, front, backends } = settings;
  const all = Object.values(backends);
  const hosts = all.flatMap(({ endpoints }) =>
    endpoints?.kind === "list" ? endpoints.entries.flatMap((one) => (one.kind === "name" ? [one.host] : [])) : [],
  );
  return {
    name,
    instances,
    maxMemoryMb: Number.isFinite(maxMemoryMb) ? maxMemoryMb : undefined,
    listeners: front.listeners.flatMap(({ place }) =>
      place.kind === "tcp" ? [{ host: place.host, port: place.port }] : [],
    ),
    maxConnections: front.limits.maxConnections,
    connectsByTcp: exec !== undefined || all.length > 0,
    hosts: [...new Set(hosts)],
    domains: front.https === false ? [] : (front.https.acme?.domains ?? []),
  };
}
