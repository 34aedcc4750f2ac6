import { decodeWorkerFacts, type WorkerFacts, workerFactsVariable } from "../ipc/worker-facts.ts";
import { LbError } from "../model/errors.ts";

/**
 * What makes this process a worker, or `undefined` when it is none. The variable is deleted from the environment, so
 * that no process this one starts takes itself for a worker.
 *
 * A child that was started before that inherits it all the same. It is told from a worker by its parent; so is a worker
 * whose primary has died already. Neither may go on: as a worker it would take another one's place, as a primary it
 * would start a second cluster nobody asked for.
 *
 * @throws LbError `LB_NOT_A_WORKER`
 */
export function takeWorkerFacts(env: NodeJS.ProcessEnv, parentPid: number): WorkerFacts | undefined {
  const text = env[workerFactsVariable];
  if (text === undefined) return undefined;
  delete env[workerFactsVariable];
  const facts = decodeWorkerFacts(text);
  if (facts === undefined) {
    throw new LbError(
      "LB_NOT_A_WORKER",
      `The variable ${workerFactsVariable} in the environment was not written by this version of @lb/core. ` +
        "It is private: remove it, and let primary and workers load the same version.",
    );
  }
  if (facts.primaryPid !== parentPid) {
    throw new LbError(
      "LB_NOT_A_WORKER",
      `This process has the environment of a worker of process ${facts.primaryPid}, which is not its parent: ` +
        "either that primary has died, or a worker started this process before it called cluster() itself.",
    );
  }
  return facts;
}
