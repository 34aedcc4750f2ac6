import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { ExecSettings } from "../../options/exec-options.ts";
import type { GroupGuard } from "../group-guard.ts";
import { reachedAt } from "../ports.ts";
import type { FirstProbe, WorkerKind, WorkerStart } from "../worker-contract.ts";
import type { OutputReader } from "../worker-output.ts";
import { commandLine, filled } from "./command-line.ts";
import { GroupVitals } from "./group-vitals.ts";
import { ProgramWorker } from "./program-worker.ts";

export interface ProgramsOptions {
  readonly exec: ExecSettings;
  /** Where the instances are to listen. */
  readonly host: string;
  readonly startTimeoutMs: number;
  /** They serve nobody, and are ready when they have run for so long. Undefined: they listen. */
  readonly uptimeMs?: number | undefined;
  /** What each has to pass before it is ready: it listens on this port. */
  readonly readyCheck: ((port: number) => FirstProbe) | undefined;
  /** Besides, of those that no replacement puts to the test. */
  readonly firstProbe: ((port: number) => FirstProbe) | undefined;
  /** How often is looked at what they use; undefined: never. */
  readonly vitalsMs: number | undefined;
  readonly output: OutputReader | undefined;
  /** Resolves when nothing is open on the endpoint, which takes no new requests. */
  readonly unused: (endpoint: Endpoint) => Promise<void>;
  /** An instance listens where other machines may reach it, though it was told another host. Told once. */
  readonly foundOpen: (instance: number, place: string) => void;
  readonly guard: GroupGuard;
  readonly clock: Clock;
}

/** Instances of a program that knows nothing of us. */
export function programs(options: ProgramsOptions): WorkerKind {
  const { exec, startTimeoutMs, readyCheck, firstProbe, vitalsMs, output, unused, guard, clock } = options;
  const host = reachedAt(options.host);
  const vitals = vitalsMs === undefined ? undefined : new GroupVitals({ intervalMs: vitalsMs, clock });
  let openIsKnown = host !== options.host;
  return {
    hears: false,
    addressOf: (_, port) => ({ kind: "tcp", host, port }),
    launch({ endpoint, port, isSuccessor, edition }, observer) {
      const instance = endpoint.slot + 1;
      const checks = [readyCheck, isSuccessor ? undefined : firstProbe].filter((check) => check !== undefined);
      const spec = {
        instance,
        commandLine: commandLine(exec.command, { port, host: options.host, instance }),
        cwd: edition.cwd,
        env: environment(options, { endpoint, port, edition }),
        host,
        port: options.uptimeMs === undefined ? port : undefined,
        uptimeMs: options.uptimeMs ?? 0,
        log: exec.ready.log,
        checks: checks.map((check) => () => check(port)),
        startTimeoutMs,
        stop: exec.stop,
        output,
        unused: () => unused(endpoint),
        foundOpen: (place: string) => {
          if (openIsKnown) return;
          openIsKnown = true;
          options.foundOpen(instance, place);
        },
      };
      return new ProgramWorker(spec, observer, { clock, guard, vitals });
    },
    ended: () => {},
  };
}

function environment(
  { exec, host, uptimeMs }: ProgramsOptions,
  { endpoint: { slot }, port, edition }: Pick<WorkerStart, "endpoint" | "port" | "edition">,
): Record<string, string | undefined> {
  const places = { port, host, instance: slot + 1 };
  const own = Object.entries(exec.env).map(([name, value]) => [name, filled(value, places)]);
  return {
    // What Python writes to a pipe it would keep until there is a lot of it.
    PYTHONUNBUFFERED: "1",
    ...process.env,
    ...edition.env,
    ...Object.fromEntries(own),
    // What this process was told is not for one that has no port.
    PORT: uptimeMs === undefined ? String(port) : undefined,
    INSTANCE_PORT: uptimeMs === undefined ? String(port) : undefined,
    HOST: host,
    INSTANCE_ID: String(slot + 1),
    NODE_APP_INSTANCE: String(slot),
  };
}
