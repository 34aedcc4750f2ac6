import type { ControlAddress } from "../../control/control-directory.ts";
import { say } from "../say.ts";
import type { LockHolder } from "./deploy-lock.ts";
import type { DeployPlan } from "./deploy-plan.ts";
import { nameOf } from "./run-step.ts";

export interface DryRun {
  readonly plan: DeployPlan;
  readonly called: string;
  readonly target: ControlAddress | undefined;
  readonly holders: readonly LockHolder[];
}

/** What a deploy would do, in its order. */
export function dryRun({ plan, called, target, holders }: DryRun): void {
  const { settings, releases, directory, reload, configFile } = plan;
  const where = releases === undefined ? directory : `${releases.directories.pathOf("<id>")}, which is made`;
  const list = (steps: DeployPlan["settings"]["steps"]) => steps.map((step) => `  ${nameOf(step)}`);
  say(
    [
      `${called}, as ${configFile} says:`,
      `in ${where}:`,
      ...list(settings.steps),
      ...(releases === undefined ? [] : [`${releases.directories.dir}/current leads there`]),
      `reload ${JSON.stringify(reload)}`,
      ...(settings.onFailure.length === 0 ? [] : ["if any of it fails:", ...list(settings.onFailure)]),
      ...(releases === undefined ? [] : [`${releases.keep} releases are kept`]),
      ...(target === undefined ? ["No such cluster runs now."] : []),
      ...holders.map(({ deploy }) => `Another deploy is under way now: ${deploy}.`),
    ].join("\n"),
  );
}
