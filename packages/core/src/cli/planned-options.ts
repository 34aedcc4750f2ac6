import { basename } from "node:path";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ExecOptions } from "../options/exec-options.ts";
import { CliError } from "./cli-error.ts";
import { withHttps } from "./https-flag.ts";
import { programName } from "./program-name.ts";
import { flagOf, startDefaults, withFlags } from "./start-flags.ts";
import type { PlanFlags, StartPlan } from "./start-plan.ts";

type AnyFlags = PlanFlags & Readonly<Record<string, unknown>>;

/** What holds where neither a configuration nor a flag says it. */
export function defaultsOf(planned: StartPlan, flags: AnyFlags): ClusterOptions {
  const { exec, cwd, ready } = flags;
  if (planned.kind === "front") return { name: basename(process.cwd()) || "front" };
  if (planned.kind !== "program") {
    const [flag] = Object.entries({ "--cwd": cwd, "--ready": ready }).find(([, value]) => value !== undefined) ?? [];
    if (flag !== undefined)
      throw new CliError(`${flag} is of the program that is given with --exec, and there is none.`, 2);
    if (planned.kind === "apps") {
      const own = ofOneApp.find((option) => flagOf(option, flags) !== undefined);
      if (own === undefined) return { name: planned.name, ...startDefaults };
      const remedy = "and the configuration has several: say it of each there";
      throw new CliError(`${flagOf(own, flags)} is of one app, ${remedy}.`, 2);
    }
    return { name: basename(planned.entry).replace(/\.[^.]+$/, ""), ...startDefaults };
  }
  // Its own port is the one that a program has to listen on.
  const { portEnv, ...others } = startDefaults;
  const command = exec ?? (planned.config.exec as ExecOptions).command;
  return { name: programName(command), ...others };
}

/** Where there are several, each has its own. */
const ofOneApp = ["instances", "workerPort", "waitReady", "maxMemoryMb", "restartCron", "strategy", "affinity"];

/** The options with which `lb start` would run what was planned. */
export function plannedOptions(planned: StartPlan, flags: AnyFlags): ClusterOptions {
  const options = withFlags({ ...defaultsOf(planned, flags), ...planned.config }, flags);
  if (flags["https"] === undefined) return options;
  return withHttps(options, { configured: planned.config.https, env: process.env });
}
