import { createServer } from "node:net";
import { LbError, OptionError } from "../model/errors.ts";

/** Where instances listen for direct traffic: loopback, so that nothing is reachable from outside unless asked. */
export const workerHost = "127.0.0.1";

export interface PortPlan {
  /** The front's, as it was bound. */
  readonly publicPort: number;
  /** First of the instances' ports; 0: the first run of free ones after the public port. */
  readonly workerPort: number;
  readonly instances: number;
}

/** The consecutive ports of the instances, in slot order. */
export async function planWorkerPorts(
  { publicPort, workerPort, instances }: PortPlan,
  isFree: (port: number) => Promise<boolean> = isPortFree,
): Promise<readonly number[]> {
  if (workerPort === 0) return run(await firstFreeRun(publicPort + 1, instances, isFree), instances);
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

/** Looks at each port once: a busy one moves the start of the run behind it. Wraps around to the unprivileged ports. */
async function firstFreeRun(from: number, count: number, isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (const [low, high] of [
    [from, 65_535],
    [1_024, Math.min(from + count - 2, 65_535)],
  ] as const) {
    let first = low;
    for (let port = low; port <= high; port += 1) {
      if (!(await isFree(port))) first = port + 1;
      else if (port - first + 1 === count) return first;
    }
  }
  throw new LbError("LB_PORT_BUSY", `There are no ${count} consecutive free ports: set the option "workerPort".`);
}

/** Free at this moment; a worker that finds its port taken later reports it. */
function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: workerHost, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
