import type { SrvRecord } from "node:dns";

/** A host and port of a service. */
export interface ServiceHost {
  readonly host: string;
  readonly port: number;
  /** Relative to the others. */
  readonly weight: number;
}

/** Of one service; more are not looked up. */
const maxHosts = 256;

/**
 * The hosts of SRV records (RFC 2782), those of each priority together, the best first. A weight of 0, which is to get next to
 * nothing where others have more, gets 1.
 */
export function serviceGroups(records: readonly SrvRecord[]): readonly (readonly ServiceHost[])[] {
  const groups = new Map<number, ServiceHost[]>();
  const hosts = records.map(({ name, ...rest }) => ({ ...rest, host: name.toLowerCase() }));
  // Servers turn answers round.
  hosts.sort((a, b) => a.priority - b.priority || compare(a.host, b.host) || a.port - b.port);
  for (const { priority, host, port, weight } of hosts.slice(0, maxHosts)) {
    // There is no such service.
    if (host === "" || host === ".") continue;
    const group = groups.get(priority) ?? [];
    groups.set(priority, group);
    group.push({ host, port, weight: Math.max(weight, 1) });
  }
  return [...groups.values()];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
