import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Http1Pool } from "../model/http1-reach.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import { reachedAt } from "../supervisor/ports.ts";
import { programs } from "../supervisor/program/programs.ts";
import type { FirstProbe, WorkerKind } from "../supervisor/worker-contract.ts";
import type { OutputReader } from "../supervisor/worker-output.ts";
import { beginFirstProbe } from "./first-probe.ts";

export interface ProgramInstancesOptions {
  readonly exec: ExecSettings;
  readonly settings: Pick<ClusterSettings, "workerHost" | "startTimeoutMs" | "heartbeat">;
  /** They serve nobody, and are ready when they have run for so long. Undefined: they listen. */
  readonly uptimeMs: number | undefined;
  readonly firstProbe: ((port: number) => FirstProbe) | undefined;
  readonly unused: (endpoint: Endpoint) => Promise<void>;
  readonly foundOpen: (instance: number, place: string) => void;
  readonly output: OutputReader | undefined;
  readonly guard: GroupGuard;
  readonly clock: Clock;
}

/** A path that a program is to answer before it is ready is asked for as fast as this, and each time for so long. */
const readyProbe = { intervalMs: 250, timeoutMs: 2_000 };

/** Idle connections are given up before common servers do that: gunicorn's threads close theirs after 2 s, most others after 5 s. */
export function programPool({ keepAlive }: ExecSettings): Partial<Http1Pool> {
  return keepAlive ? { idleTimeoutMs: 1_000 } : { maxIdle: 0 };
}

/** What runs in the instances of a group that has a program of its own. */
export function programInstances({ exec, settings, clock, ...parts }: ProgramInstancesOptions): WorkerKind {
  const { workerHost, startTimeoutMs, heartbeat } = settings;
  const { path } = exec.ready;
  const host = reachedAt(workerHost);
  const expectStatus = (status: number) => status >= 200 && status <= 399;
  return programs({
    exec,
    host: workerHost,
    startTimeoutMs,
    readyCheck:
      path === undefined
        ? undefined
        : (port) =>
            beginFirstProbe({
              settings: { ...readyProbe, path, expectStatus },
              address: { kind: "tcp", host, port },
              clock,
            }),
    vitalsMs: heartbeat === false ? undefined : heartbeat.intervalMs,
    clock,
    ...parts,
  });
}
