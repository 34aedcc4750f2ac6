import { readFileSync, readlinkSync } from "node:fs";
import type { Command } from "commander";
import type { ControlAddress } from "../../control/control-directory.ts";
import { systemClock, systemWallClock } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";
import { directoryOf, makeDirectory } from "../daemon/state-directory.ts";
import { wholeNumber } from "../flag-values.ts";
import { colourEnvironment } from "../output-writer.ts";
import { say } from "../say.ts";
import { about, findTarget, named, type Target } from "../targets.ts";
import { Deploy, type DeployGoal } from "./deploy.ts";
import { DeployHistory } from "./deploy-history.ts";
import { DeployLock, holdersIn, type LockHolder } from "./deploy-lock.ts";
import { type DeployPlan, deployPlan } from "./deploy-plan.ts";
import { type DeployOutcome, type DeployRecord, deployId } from "./deploy-record.ts";
import { DeployScreen, spanWords } from "./deploy-screen.ts";
import { deploysTable, deployText } from "./deploys-table.ts";
import { dryRun } from "./dry-run.ts";
import { Interruption } from "./interruption.ts";

interface DeployFlags extends Target {
  readonly config?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  /** False: nothing is reloaded. */
  readonly reload?: boolean;
}

/** For scripts; those of `main.ts` besides. */
const exitCodes: Readonly<Record<DeployOutcome, number>> = {
  running: 1,
  deployed: 0,
  failed: 1,
  "cut-off": 1,
  "rolled-back": 4,
  interrupted: 130,
};
const lockedExitCode = 5;

/** The commands that bring new versions, and look back at them. */
export function addDeployCommands(program: Command): void {
  const common = (command: Command) =>
    about(command)
      .option("--config <file>", "instead of lb.config.{ts,js,mjs,cjs,json}")
      .option("--json", "what became of it on standard output, as JSON; the rest on standard error");

  common(program.command("deploy"))
    .argument("[name]", "which cluster, if several run")
    .description("run the steps of the configuration, then replace all instances; roll back what fails")
    .option("--dry-run", "show what would be done, and do nothing")
    .option("--no-reload", "run the steps, and replace nothing: for the first release, before anything runs")
    .action(async (name: string | undefined, flags: DeployFlags) => {
      const plan = await deployPlan(flags.config);
      const { json = false, dryRun: isDry = false, reload: reloads = true } = flags;
      const { target, called } = await clusterOf(plan, named(name, flags), reloads && !isDry);
      if (isDry) return dryRun({ plan, called, target, holders: holdersIn(directoryOf(called)) });
      const goalOf = (): DeployGoal => ({ kind: "deploy" });
      await begin({ plan, called, target: reloads ? target : undefined, json, goalOf });
    });

  common(program.command("rollback"))
    .argument("[release]", "which one (default: the one before)")
    .description("go back to the release before")
    .action(async (release: string | undefined, flags: DeployFlags) => {
      const plan = await deployPlan(flags.config);
      const { target, called } = await clusterOf(plan, flags, true);
      const goalOf = (history: DeployHistory) => rollbackGoal(plan, history, release);
      await begin({ plan, called, target, json: flags.json === true, goalOf });
    });

  about(program.command("deploys"))
    .argument("[id]", "one of them, with what its steps wrote")
    .description("show what was deployed when, by whom, and what became of it")
    .option("--config <file>", "instead of lb.config.{ts,js,mjs,cjs,json}")
    .option("-n, --lines <n>", "how many", wholeNumber(1), 20)
    .option("--json", "as JSON, one deploy a line")
    .action(async (id: string | undefined, flags: DeployFlags & { lines: number }) => {
      const called = flags.name ?? (await nameIn(flags.config)) ?? (await findTarget(flags)).name;
      const history = new DeployHistory(directoryOf(called));
      if (id !== undefined) {
        const record = history.read(id);
        if (record === undefined)
          throw new CliError(`There is no deploy ${id} of ${called}: lb deploys shows them.`, 2);
        say(flags.json === true ? JSON.stringify(record) : deployText(record));
        return;
      }
      const records = settled(history, holdersIn(directoryOf(called))).slice(0, flags.lines);
      if (flags.json === true) for (const record of records) say(JSON.stringify(record));
      else say(records.length === 0 ? `Nothing was deployed yet as ${called}.` : deploysTable(records));
    });
}

async function nameIn(config: string | undefined): Promise<string | undefined> {
  try {
    return (await deployPlan(config)).name;
  } catch {
    return undefined;
  }
}

interface FoundCluster {
  readonly target: ControlAddress | undefined;
  readonly called: string;
}

/** @throws CliError if it has to run, and does not */
async function clusterOf({ name }: DeployPlan, flags: Target, hasToRun: boolean): Promise<FoundCluster> {
  const wanted: Target = { ...flags, name: flags.name ?? (flags.pid === undefined ? name : undefined) };
  try {
    const target = await findTarget(wanted);
    return { target, called: target.name };
  } catch (error) {
    if (hasToRun || wanted.name === undefined) throw error;
    return { target: undefined, called: wanted.name };
  }
}

interface Begun extends FoundCluster {
  readonly plan: DeployPlan;
  readonly json: boolean;
  readonly goalOf: (history: DeployHistory) => DeployGoal;
}

async function begin({ plan, called, target, json, goalOf }: Begun): Promise<void> {
  const state = directoryOf(called);
  makeDirectory(state);
  const history = new DeployHistory(state);
  const startedAt = new Date(systemWallClock());
  const id = unusedId(deployId(startedAt), history);
  const taken = DeployLock.take(state, id);
  if ("holder" in taken) throw new CliError(lockedBy(taken.holder), lockedExitCode);
  const { lock } = taken;
  const interruption = new Interruption();
  const stream = json ? process.stderr : process.stdout;
  const screen = new DeployScreen(stream, systemClock);
  try {
    for (const record of history.all) if (record.outcome === "running") cutOff(record, plan, history);
    plan.releases?.directories.checkShared();
    const record = await new Deploy({
      id,
      name: called,
      plan,
      goal: goalOf(history),
      control: target?.path,
      neededReleases: releasesOfPrimary(plan, target),
      env: { ...process.env, ...colourEnvironment(stream, process.env) },
      screen,
      history,
      lock,
      interruption,
      clock: systemClock,
      startedAt,
    }).run();
    if (json) say(JSON.stringify(record));
    else if (record.outcome === "deployed") screen.say(doneWords(called, record));
    process.exitCode = exitCodes[record.outcome];
  } finally {
    interruption.end();
    lock.release();
  }
}

function doneWords(called: string, { kind, commit, release, ms, replaced }: DeployRecord): string {
  const what = commit === null ? (release ?? "") : `${commit.hash.slice(0, 10)} ${commit.subject}`;
  const instances = replaced === 1 ? "1 instance" : `${replaced} instances`;
  const done = kind === "deploy" ? "is deployed" : "is back";
  return `${called}: ${what === "" ? "it" : what} ${done}, ${instances} replaced, ${spanWords(ms)}`;
}

/** Whoever deployed was killed: what it asked of the primary has been taken back, unless instances had been let go. */
function cutOff(record: DeployRecord, { releases }: DeployPlan, history: DeployHistory): void {
  const { release, releaseBefore, replaced } = record;
  history.write({ ...record, outcome: outcomeOf(record) });
  if (replaced > 0 || releases === undefined || release === null || releaseBefore === null) return;
  const { directories } = releases;
  if (directories.current === release && directories.ids.includes(releaseBefore)) directories.lead(releaseBefore);
}

function outcomeOf({ replaced }: DeployRecord): DeployOutcome {
  return replaced > 0 ? "deployed" : "cut-off";
}

/** A record that says it runs, and whose process lives no more, is of one that was cut off. */
function settled(history: DeployHistory, holders: readonly LockHolder[]): readonly DeployRecord[] {
  return history.all.map((record) => {
    const runs = record.outcome !== "running" || holders.some(({ deploy }) => deploy === record.id);
    return runs ? record : { ...record, outcome: outcomeOf(record) };
  });
}

function lockedBy({ pid, deploy, group }: LockHolder): string {
  const step = group === undefined ? "" : `, or a step that it has left (process group ${group})`;
  return `Another deploy is under way: ${deploy}, process ${pid}${step}. Wait for it, or end it.`;
}

/** Two within a second are told apart. */
function unusedId(id: string, history: DeployHistory): string {
  for (let n = 2, made = id; ; n += 1) {
    if (!history.has(made)) return made;
    made = `${id}-${n}`;
  }
}

/** @throws CliError if there is nothing to go back to */
function rollbackGoal(
  { releases, settings }: DeployPlan,
  history: DeployHistory,
  wanted: string | undefined,
): DeployGoal {
  if (releases !== undefined) {
    const { ids, current, dir } = releases.directories;
    const failed = new Set(history.failedReleases);
    const release = wanted ?? ids.filter((id) => (current === undefined || id < current) && !failed.has(id)).at(-1);
    if (release === undefined)
      throw new CliError(`There is no release before ${current ?? "this one"} in ${dir}/releases.`, 2);
    if (!ids.includes(release)) throw new CliError(`There is no release ${release}. There are: ${ids.join(", ")}`, 2);
    if (release === current) throw new CliError(`${release} is the release that runs.`, 2);
    return { kind: "rollback", release };
  }
  if (settings.rollback.length === 0) {
    const remedy =
      "deploy.releases keeps each deploy in a directory of its own; or say with deploy.rollback what gets the code back";
    throw new CliError(`A deploy changes the code in place, so the one before is not there any more: ${remedy}.`, 2);
  }
  const deployed = history.all.filter(({ outcome, commit }) => outcome === "deployed" && commit !== null);
  const record = wanted === undefined ? deployed[0] : deployed.find(({ id }) => id === wanted);
  const commit = wanted === undefined ? record?.commitBefore : record?.commit;
  if (commit == null)
    throw new CliError("It is not known which commit was deployed before: lb deploys shows what is.", 2);
  return { kind: "rollback", commit };
}

/** The primary itself goes on in the release that it was started from. */
function releasesOfPrimary({ releases }: DeployPlan, target: ControlAddress | undefined): readonly string[] {
  if (releases === undefined || target === undefined) return [];
  const paths: string[] = [];
  try {
    paths.push(readlinkSync(`/proc/${target.pid}/cwd`));
    paths.push(
      ...readFileSync(`/proc/${target.pid}/cmdline`, "utf8")
        .split("\0")
        .filter((word) => word.startsWith("/")),
    );
  } catch {
    // Not on this system.
  }
  return paths.flatMap((path) => releases.directories.holding(path) ?? []);
}
