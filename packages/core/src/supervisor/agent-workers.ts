import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Span } from "../model/span.ts";
import type { Edition } from "./edition.ts";
import type { GroupGuard } from "./group-guard.ts";
import type { SharedPorts } from "./shared-ports.ts";
import type { FirstProbe, WorkerKind } from "./worker-contract.ts";
import type { WorkerEntry } from "./worker-entry.ts";
import { type EnvironmentOptions, workerEnvironment } from "./worker-environment.ts";
import { ForkedWorker } from "./worker-process.ts";

export interface AgentWorkersOptions extends EnvironmentOptions {
  readonly entry: WorkerEntry;
  readonly sharedPorts: SharedPorts;
  readonly startTimeoutMs: number;
  /** Apps say themselves when they are ready. */
  readonly waitReady: boolean;
  /** Where an instance, which listens on this port, is ready only when it can answer. */
  readonly firstProbe?: ((port: number) => FirstProbe) | undefined;
  /** Resolves when no request is in flight on the endpoint, which takes no new ones. */
  readonly unused: (endpoint: Endpoint) => Promise<void>;
  /** A worker has Engine.IO. */
  readonly onSessions?: () => void;
  /** A worker has made spans, and had no room for so many. */
  readonly onSpans?: (spans: readonly Span[], dropped: number) => void;
  readonly guard: GroupGuard;
  readonly clock: Clock;
}

/** Workers that are this program again, with our agent in it. */
export function agentWorkers(options: AgentWorkersOptions): WorkerKind {
  const { entry, sharedPorts, startTimeoutMs, waitReady, firstProbe, unused, gate, drainTimeoutMs, output } = options;
  const { intakes, guard, clock, unserving, onSessions = () => {}, onSpans = () => {} } = options;
  return {
    hears: true,
    addressOf: (endpointId) => ({ kind: "unix", path: intakes.pathFor(endpointId) }),
    launch(start, observer) {
      const { endpoint, port, isSuccessor, edition } = start;
      const spec = {
        endpointId: endpoint.id,
        instance: endpoint.slot + 1,
        entry: started(entry, edition),
        env: workerEnvironment(options, start),
        gate,
        startTimeoutMs,
        waitReady,
        serves: unserving === undefined,
        // A successor is put to the test by its replacement.
        firstProbe: firstProbe === undefined || isSuccessor ? undefined : () => firstProbe(port),
        sharedPorts,
        unused: () => unused(endpoint),
        drainTimeoutMs,
        output,
        keepsSessions: onSessions,
        spans: onSpans,
      };
      return new ForkedWorker(spec, observer, { clock, guard });
    },
    ended: (endpointId) => intakes.removePath(endpointId),
  };
}

/** Where the edition says that it is. */
function started({ by, ...entry }: WorkerEntry, { file = entry.file, cwd }: Edition): WorkerEntry {
  return by === undefined ? { ...entry, file, cwd } : { ...entry, file: by, args: [file, ...entry.args], cwd };
}
