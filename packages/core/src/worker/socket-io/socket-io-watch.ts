import type { WorkerFacts } from "../../ipc/worker-facts.ts";
import { watchModules } from "../module-watch.ts";
import { engineIo } from "./engine-io.ts";
import { SessionDrain } from "./session-drain.ts";
import { isSetUp, socketIo } from "./socket-io.ts";

/** Makes the Socket.IO servers of the app those of one of several instances, as far as the cluster's options want it. */
export function watchSocketIo({ sessionPrefix, events, slot }: WorkerFacts): void {
  if (events === undefined) return;
  const servers = socketIo({ reach: events, warns: events !== "leave" && slot === 0 });
  const drain = new SessionDrain(isSetUp);
  watchModules([engineIo(sessionPrefix, drain.note), servers]);
}
