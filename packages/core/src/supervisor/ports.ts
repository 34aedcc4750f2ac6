import { createServer } from "node:net";
import { LbError, OptionError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";

/** Where what listens on `host` is reached from this machine. */
export function reachedAt(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}

/**
 * Where runs of ports are looked for: above the well-known services, below the ports that systems give to outgoing
 * connections (from 32768 on Linux, from 49152 elsewhere), one of which could be taken while its instance restarts.
 */
const searched = { first: 10_240, last: 32_767 };

export interface PortPlan {
  /** The front's, as it was bound. */
  readonly publicPort: number;
  /** First of the instances' ports; 0: wherever a run of them is free. */
  readonly workerPort: number;
  readonly instances: number;
  /** Where to begin looking: clusters that start at the same time should not find the same run. */
  readonly random: Random;
}

/** The consecutive ports of the instances, in slot order. */
export async function planWorkerPorts(
  plan: PortPlan,
  isFree: (port: number) => Promise<boolean> = isPortFree,
): Promise<readonly number[]> {
  const { publicPort, workerPort, instances } = plan;
  if (instances === 0) return [];
  if (workerPort === 0) return run(await freeRun(plan, isFree), instances);
  const last = workerPort + instances - 1;
  if (last > 65_535) {
    throw new OptionError("workerPort", workerPort, `${instances} instances would need the ports up to ${last}.`);
  }
  if (workerPort <= publicPort && publicPort <= last) {
    const remedy = `the instances take ${workerPort}–${last}, which includes the public port ${publicPort}. Move one.`;
    throw new OptionError("workerPort", workerPort, remedy);
  }
  return run(workerPort, instances);
}

function run(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, slot) => first + slot);
}

/** Looks at each port once or twice: from a random one upwards, then from the lowest. */
async function freeRun(
  { publicPort, instances, random }: PortPlan,
  isFree: (port: number) => Promise<boolean>,
): Promise<number> {
  const start = searched.first + Math.floor(random() * (searched.last + 1 - searched.first));
  for (const [low, high] of [
    [start, searched.last],
    [searched.first, Math.min(start + instances - 2, searched.last)],
  ] as const) {
    let first = low;
    for (let port = low; port <= high; port += 1) {
      if (port === publicPort || !(await isFree(port))) first = port + 1;
      else if (port - first + 1 === instances) return first;
    }
  }
  throw new LbError("LB_PORT_BUSY", `There are no ${instances} consecutive free ports: set the option "workerPort".`);
}

/**
 * A port for a worker that starts while its predecessor still has the slot's own.
 *
 * @param taken in use by us, whether something listens there yet or not
 * @throws LbError `LB_PORT_BUSY`
 */
export async function findSparePort(
  { taken, random }: { readonly taken: ReadonlySet<number>; readonly random: Random },
  isFree: (port: number) => Promise<boolean> = isPortFree,
): Promise<number> {
  const count = searched.last + 1 - searched.first;
  const start = Math.floor(random() * count);
  for (let step = 0; step < count; step += 1) {
    const port = searched.first + ((start + step) % count);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new LbError("LB_PORT_BUSY", `There is no free port from ${searched.first} to ${searched.last}.`);
}

/** Free at this moment; a worker that finds its port taken later reports it. */
export function isPortFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
