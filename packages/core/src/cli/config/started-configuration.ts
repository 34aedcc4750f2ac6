import { resolve } from "node:path";
import type { ConfigurationSource } from "../../cluster/configuration.ts";
import { LbError } from "../../model/errors.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import type { OptionChange } from "../../options/option-changes.ts";
import { isSame, shown } from "../../options/option-changes.ts";
import { plannedOptions } from "../planned-options.ts";
import type { PlanFlags, StartPlan } from "../start-plan.ts";
import { arrived } from "./carried-config.ts";
import { readAnew } from "./read-anew.ts";

type AnyFlags = PlanFlags & Readonly<Record<string, unknown>>;

/** What was started: by which plan, with which flags, and what became of them. */
export interface Started {
  readonly planned: StartPlan;
  readonly file: string | undefined;
  readonly flags: AnyFlags;
  /** The options that the cluster is given for a plan. */
  readonly optionsOf: (planned: StartPlan) => ClusterOptions;
  /** Another plan is what it goes by. */
  readonly adopted: (planned: StartPlan) => void;
}

/** How `lb start` reads its configuration again: with the flags that it was started with. */
export function startedConfiguration({ planned, file, flags, optionsOf, adopted }: Started): ConfigurationSource {
  let current = planned;
  return {
    as: plannedOptions(planned, flags),
    async read(other) {
      const path = other === undefined ? file : resolve(other);
      if (path === undefined) {
        throw new LbError(
          "LB_NO_CONFIG",
          "This cluster was started without a configuration file: say which one is meant.",
        );
      }
      const { value, foreign } = arrived(await readAnew(path, flags), current);
      const next = value as StartPlan;
      return {
        file: path,
        options: optionsOf(next),
        as: plannedOptions(next, flags),
        others: [...programChanges(current, next), ...foreign.map(foreignFunction)],
        adopted: () => {
          current = next;
          adopted(next);
        },
      };
    },
  };
}

/** What is run is no option of the cluster. Its arguments its instances find in the configuration themselves. */
function programChanges(before: StartPlan, after: StartPlan): readonly OptionChange[] {
  if (before.kind !== after.kind) return [{ option: "entry", from: before.kind, to: after.kind, by: "upgrade" }];
  if (before.kind !== "app" || after.kind !== "app") return [];
  const entry = {
    option: "entry",
    from: shown(before.entry, "entry"),
    to: shown(after.entry, "entry"),
    by: "upgrade",
  } as const;
  const args = {
    option: "args",
    from: shown(before.args, "args"),
    to: shown(after.args, "args"),
    by: "reload",
  } as const;
  return [...(before.entry === after.entry ? [] : [entry]), ...(isSame(before.args, after.args) ? [] : [args])];
}

/** What is written there can be run where the file is loaded alone. */
function foreignFunction(path: string): OptionChange {
  const option = path.replace(/^config\./, "");
  return { option, from: undefined, to: "(another function)", by: "upgrade" };
}
