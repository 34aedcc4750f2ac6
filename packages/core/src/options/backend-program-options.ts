import { OptionError } from "../model/errors.ts";
import {
  type AutoscaledInstances,
  type AutoscaleOptions,
  type AutoscaleSettings,
  autoscaleSchema,
  autoscaleSettings,
  maxInstances,
  type ParsedAutoscale,
  withinAutoscale,
} from "./autoscale-options.ts";
import { type ExecOptions, type ExecSettings, execSchema, type ParsedExec, refuseUnread } from "./exec-options.ts";
import { option } from "./option.ts";
import { maxPort } from "./tcp-address.ts";
import { wholeNumber } from "./validation.ts";

/** A backend that is a program here, started and ended with the cluster. */
export interface BackendProgramOptions {
  /**
   * Runs this program in place of endpoints elsewhere: a command, or {@link ExecOptions}, as the option `exec` of the cluster. Default:
   * its endpoints are where `endpoints` says.
   */
  readonly exec?: string | readonly string[] | ExecOptions;
  /** How many instances of it run. Default 1, or `autoscale.min`. */
  readonly instances?: number;
  /** First of their consecutive ports. Default 0: wherever a run of them is free. */
  readonly workerPort?: number;
  /** An instance whose memory, with that of all that it has started, exceeds this many megabytes is replaced. Default: no limit. */
  readonly maxMemoryMb?: number;
  /** Changes the number of its instances with the load: what `autoscale` is for the app. Default: it stays. */
  readonly autoscale?: AutoscaleOptions;
}

/** {@link BackendProgramOptions}, checked and completed. */
export interface BackendProgramSettings {
  readonly exec: ExecSettings;
  readonly instances: number;
  readonly workerPort: number;
  readonly maxMemoryMb: number | undefined;
  readonly autoscale: AutoscaleSettings | undefined;
}

/** To be spread into the options of a backend. */
export const backendProgramEntries = {
  exec: option(execSchema, undefined, "a program that is run here in place of them: [any-program.md](any-program.md)", {
    otherwise: "none",
  }),
  instances: option(wholeNumber(1, maxInstances), undefined, "of `exec`: how many run", {
    otherwise: "1, or `autoscale.min`",
  }),
  workerPort: option(wholeNumber(0, maxPort), 0, "of `exec`: the first of their consecutive ports; 0: a free run"),
  maxMemoryMb: option(wholeNumber(16, 1_048_576), undefined, "of `exec`: one with more memory is replaced", {
    otherwise: "no limit",
  }),
  autoscale: option(
    autoscaleSchema,
    undefined,
    "of `exec`: as many as there is work for; as for the app, by `cpu` or `inFlight`",
    {
      otherwise: "off",
    },
  ),
};

export interface ParsedBackendProgram {
  readonly exec?: ParsedExec | undefined;
  readonly instances?: number | undefined;
  readonly workerPort: number;
  readonly maxMemoryMb?: number | undefined;
  readonly autoscale?: ParsedAutoscale | undefined;
}

export interface ProgramSurroundings extends Pick<AutoscaledInstances, "parallelism" | "heartbeat"> {
  /** Somebody reads what instances write. */
  readonly isRead: boolean;
}

/** Where a backend stands among the options, and that it says where it is. */
interface ProgramPlace extends ProgramSurroundings {
  readonly within: string;
  readonly hasEndpoints: boolean;
}

/** Undefined: it runs none. */
export function backendProgram(
  { exec, workerPort, maxMemoryMb, ...sizes }: ParsedBackendProgram,
  { within, hasEndpoints, isRead, ...measured }: ProgramPlace,
): BackendProgramSettings | undefined {
  if (exec === undefined) {
    if (hasEndpoints) return undefined;
    throw new OptionError(`${within}.endpoints`, undefined, "say where it is, or with exec which program it is");
  }
  if (hasEndpoints) {
    const remedy = "it is this program, or where endpoints say: give one";
    throw new OptionError(`${within}.exec`, exec.command, remedy, { hidden: true });
  }
  refuseUnread(exec, `${within}.exec`, isRead);
  const settled = Object.freeze({ ...exec, stop: exec.stop ?? "SIGTERM" });
  const autoscale =
    sizes.autoscale &&
    autoscaleSettings(sizes.autoscale, { option: `${within}.autoscale`, runs: "program", ...measured });
  const instances = withinAutoscale(sizes.instances ?? autoscale?.min ?? 1, autoscale);
  return Object.freeze({ exec: settled, instances, workerPort, maxMemoryMb, autoscale });
}
