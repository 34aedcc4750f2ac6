import { basename, dirname, resolve } from "node:path";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import { OptionError } from "../../model/errors.ts";
import { type DeployOptions, type DeploySettings, deploySchema } from "../../options/deploy-options.ts";
import type { ReloadOptions } from "../../options/reload-options.ts";
import { parseOptions } from "../../options/validation.ts";
import { CliError } from "../cli-error.ts";
import { type LbConfig, readConfigFile } from "../config-file.ts";
import { isPm2Config } from "../pm2-config.ts";
import { ReleaseDirectories } from "./release-directories.ts";

/** What is to be done, as the configuration says it. */
export interface DeployPlan {
  readonly configFile: string;
  /** What the cluster is called there; undefined: it does not say. */
  readonly name: string | undefined;
  readonly settings: DeploySettings;
  /** As it is asked of the primary, which completes and checks it. */
  readonly reload: ReloadOptions;
  /** Where steps run that are not for a release of their own. */
  readonly directory: string;
  readonly releases: { readonly directories: ReleaseDirectories; readonly keep: number } | undefined;
}

/** @throws CliError, OptionError */
export async function deployPlan(named: string | undefined): Promise<DeployPlan> {
  const file = await readConfigFile(named);
  if (file === undefined) {
    throw new CliError(
      "There is no lb.config.* here that says what a deploy is: write one, or give it with --config.",
      2,
    );
  }
  const { deploy, name, entry } = file.content as LbConfig;
  if (deploy === undefined || isPm2Config(file.content)) {
    throw new CliError(
      `The configuration ${file.path} does not say what a deploy is: deploy: { steps: [{ run: "…" }] }`,
      2,
    );
  }
  const settings = parseOptions(deploySchema, deploy, "deploy");
  const { check, reload } = deploy as DeployOptions;
  if (check !== undefined && reload?.rollback === "instance") {
    const remedy = 'the check is of all new instances together: leave it out, or give "set"';
    throw new OptionError("deploy.reload.rollback", "instance", remedy);
  }
  const directory = dirname(file.path);
  return {
    configFile: file.path,
    name: name ?? (entry === undefined ? undefined : basename(entry).replace(/\.[^.]+$/, "")),
    settings,
    reload: { rollback: "set", ...reload, ...(check !== undefined && { check }) },
    directory,
    releases: settings.releases && {
      directories: new ReleaseDirectories(releasesIn(directory, settings.releases.dir), settings.releases.shared),
      keep: settings.releases.keep,
    },
  };
}

/** A configuration that is part of the releases stands in one of them, and means what they all lie in. */
function releasesIn(directory: string, given: string | undefined): string {
  if (given !== undefined) return resolve(directory, given);
  const logical = logicalDirectory(directory, process.env["PWD"]);
  return basename(logical) === "current" ? dirname(logical) : directory;
}
