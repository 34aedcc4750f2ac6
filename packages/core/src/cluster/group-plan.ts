import type { AffinitySettings } from "../options/affinity-options.ts";
import type { AutoscaleSettings } from "../options/autoscale-options.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { BackendProgramSettings, GroupLife } from "../options/backend-program-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import type { HealthSettings } from "../options/health-options.ts";
import { cookiesOf } from "../options/pool-cookies.ts";
import { belongsBy } from "../plane/plane-routing.ts";
import type { WorkerEntry } from "../supervisor/worker-entry.ts";
import { fileEntry } from "./file-entry.ts";

/** All there is to know of the instances of one program, before there are any. */
export interface GroupPlan extends GroupLife {
  /** The name of the backend that they are; undefined: the app. */
  readonly backend: string | undefined;
  readonly run: WorkerEntry | ExecSettings;
  /** Undefined: requests go to them. Else they are ready when they have run for so long, in milliseconds. */
  readonly unserving: { readonly readyAfterMs: number } | undefined;
  readonly instances: number;
  /** Undefined: behind the public port. 0: anywhere. */
  readonly workerPort: number | undefined;
  readonly maxMemoryMb?: number | undefined;
  readonly autoscale: AutoscaleSettings | undefined;
  /** Over the variables that are for all groups. */
  readonly env: Readonly<Record<string, string>>;
  readonly health: Pick<HealthSettings, "active">;
  /** By what requests to an app belong to one instance, if by anything. */
  readonly affinity: AffinitySettings | undefined;
  /** That is because the options say so, and not because some instance may have sessions. */
  readonly hasAffinity: boolean;
}

/** The app's; `run`: what its instances run. */
export function appPlan(settings: ClusterSettings, run: WorkerEntry | ExecSettings): GroupPlan {
  const { affinity, instances, workerPort, maxMemoryMb, autoscale, health, startTimeoutMs, waitReady } = settings;
  const { drainTimeoutMs, stopSignal, restart, stopExitCodes, restartCron } = settings;
  return {
    ...{ instances, workerPort, maxMemoryMb, autoscale, health, startTimeoutMs, waitReady },
    ...{ drainTimeoutMs, stopSignal, restart, stopExitCodes, restartCron },
    env: {},
    backend: undefined,
    run,
    unserving: undefined,
    affinity: belongsBy(settings),
    hasAffinity: affinity !== undefined,
  };
}

/** That of a backend that is run here. */
export function backendPlan(
  name: string,
  { affinity, health }: Pick<BackendSettings, "affinity" | "health">,
  { runs, kind, minUptimeMs, waitReady, ...program }: BackendProgramSettings,
  { socketIo }: Pick<ClusterSettings, "socketIo">,
): GroupPlan {
  const goesBy = runs.kind === "app" ? belongsBy({ affinity, socketIo }) : affinity;
  return {
    ...program,
    waitReady,
    backend: name,
    run: runs.kind === "app" ? fileEntry(runs.entry) : runs.exec,
    unserving: kind === "worker" ? { readyAfterMs: waitReady ? 0 : minUptimeMs } : undefined,
    // Who gets no requests answers no probes.
    health: kind === "worker" ? { active: false } : health,
    affinity: goesBy && cookiesOf(name, goesBy),
    hasAffinity: affinity !== undefined,
  };
}

/** It is run by Node.js, with our agent in it. */
export function isAgents(run: GroupPlan["run"]): run is WorkerEntry {
  return "file" in run;
}
