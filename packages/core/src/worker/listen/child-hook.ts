// Preloaded into what a program under `lb start` starts: processes, and threads. An app that runs in one of them listens on its
// instance's own port, wherever it means to listen, and everything else stays on loopback too.
import type { Cluster } from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { workerFactsVariable } from "../../ipc/worker-facts.ts";
import { systemClock } from "../../model/clock.ts";
import { ChildInterception } from "./child-interception.ts";
import { childPlaces } from "./child-places.ts";
import { interceptListen } from "./intercept-listen.ts";

/** In an instance itself the agent sees to it. */
const isInstance = isMainThread && workerFactsVariable in process.env;
const places = isInstance ? undefined : childPlaces(process.env);

// In a worker of `node:cluster` too: it asks the process that started it for the port, and checks that it got that one.
if (places !== undefined) {
  // Loaded by whatever listens, and by nothing else.
  const isClusterWorker = () => (process.getBuiltinModule("node:cluster") as unknown as Cluster).isWorker;
  interceptListen(new ChildInterception(places, { clock: systemClock, isClusterWorker }));
}
