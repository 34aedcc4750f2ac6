import { userInfo } from "node:os";
import type { ClusterReloadReport } from "../../cluster/reload-report.ts";
import { ask, ControlError } from "../../control/control-client.ts";
import { instanceName } from "../../control/instance-names.ts";
import type { ClusterEventMap } from "../../events/cluster-event-map.ts";
import { unended } from "../../log/words.ts";
import type { Clock } from "../../model/clock.ts";
import type { StepSettings } from "../../options/deploy-options.ts";
import type { DeployHistory } from "./deploy-history.ts";
import type { DeployLock } from "./deploy-lock.ts";
import type { DeployPlan } from "./deploy-plan.ts";
import type { Commit, DeployOutcome, DeployRecord } from "./deploy-record.ts";
import type { DeployScreen } from "./deploy-screen.ts";
import type { Interruption } from "./interruption.ts";
import { nameOf, runStep, type StepResult } from "./run-step.ts";
import { commitIn } from "./working-copy.ts";

export interface DeployParts {
  readonly id: string;
  readonly name: string;
  readonly plan: DeployPlan;
  readonly goal: DeployGoal;
  /** The control socket of the cluster; undefined: nothing is reloaded. */
  readonly control: string | undefined;
  /** Releases that must stay, whatever their age. */
  readonly neededReleases: readonly string[];
  /** For the steps. */
  readonly env: NodeJS.ProcessEnv;
  readonly screen: DeployScreen;
  readonly history: DeployHistory;
  readonly lock: DeployLock;
  readonly interruption: Interruption;
  readonly clock: Clock;
  readonly startedAt: Date;
}

export type DeployGoal =
  | { readonly kind: "deploy" }
  /** To a release that is there. */
  | { readonly kind: "rollback"; readonly release: string }
  /** By steps, where there are none. */
  | { readonly kind: "rollback"; readonly commit: Commit };

/** Why it comes to nothing. */
class Failed extends Error {
  readonly at: string;
  readonly outcome: DeployOutcome;

  constructor(at: string, why: string, outcome: DeployOutcome) {
    super(why);
    this.at = at;
    this.outcome = outcome;
  }
}

/**
 * One deploy from its first step to its record. Until the reload nothing that runs is touched; after it has failed, `current` and the
 * instances are what they were.
 */
export class Deploy {
  readonly #parts: DeployParts;
  readonly #steps: StepResult[] = [];
  #commit: Commit | null = null;
  #commitBefore: Commit | null = null;
  #replaced = 0;
  /** With release directories: where `current` is to lead, and where it led. */
  readonly #release: string | undefined;
  readonly #releaseBefore: string | undefined;
  #leads = false;

  constructor(parts: DeployParts) {
    const { plan, goal, id } = parts;
    this.#parts = parts;
    this.#release = "release" in goal ? goal.release : plan.releases && id;
    this.#releaseBefore = plan.releases?.directories.current;
  }

  async run(): Promise<DeployRecord> {
    const { plan, goal } = this.#parts;
    this.#commitBefore = await commitIn(this.#directoryOf(this.#releaseBefore));
    this.#record("running");
    try {
      const isNew = !("release" in goal);
      if (isNew && this.#release !== undefined) plan.releases?.directories.make(this.#release);
      if (isNew) await this.#runSteps(goal.kind === "deploy" ? plan.settings.steps : plan.settings.rollback);
      this.#commit = await commitIn(this.#directoryOf(this.#release));
      this.#lead(this.#release);
      await this.#reload();
    } catch (error) {
      return this.#takenBack(
        error instanceof Failed ? error : new Failed("release", (error as Error).message, "failed"),
      );
    }
    this.#prune();
    return this.#record("deployed");
  }

  async #runSteps(steps: readonly StepSettings[]): Promise<void> {
    const { plan, interruption } = this.#parts;
    for (const [index, step] of steps.entries()) {
      const { name, failure } = await this.#runStep(step, interruption.signal);
      if (failure !== undefined)
        throw new Failed(name, failure, interruption.signal.aborted ? "interrupted" : "failed");
      // The first has brought what is deployed, into a directory that had to be empty for it.
      if (index === 0 && this.#release !== undefined) plan.releases?.directories.linkShared(this.#release);
    }
    if (interruption.signal.aborted) throw new Failed("reload", "it was interrupted", "interrupted");
  }

  async #runStep(step: StepSettings, signal: AbortSignal, variables: NodeJS.ProcessEnv = {}): Promise<StepResult> {
    const { screen, lock, interruption, clock, env } = this.#parts;
    screen.begin(nameOf(step));
    const result = await runStep({
      step,
      cwd: this.#directoryOf(this.#release),
      env: { ...env, ...this.#variables, ...variables },
      clock,
      told: (line) => screen.line(line),
      began: (group) => lock.runs(group),
      signal,
      force: interruption.force,
    });
    screen.end(result.failure);
    this.#steps.push(result);
    return result;
  }

  get #variables(): NodeJS.ProcessEnv {
    const { id, name, goal } = this.#parts;
    const { commit } = "commit" in goal ? goal : { commit: this.#commit };
    return {
      LB_DEPLOY_ID: id,
      LB_DEPLOY_NAME: name,
      LB_DEPLOY_RELEASE: this.#release && this.#directoryOf(this.#release),
      LB_DEPLOY_RELEASE_BEFORE: this.#releaseBefore && this.#directoryOf(this.#releaseBefore),
      LB_DEPLOY_COMMIT: commit?.hash,
      LB_DEPLOY_COMMIT_BEFORE: this.#commitBefore?.hash,
    };
  }

  async #reload(): Promise<void> {
    const { control, plan, screen, interruption } = this.#parts;
    if (control === undefined) return;
    screen.begin("reload");
    try {
      const report = (await ask({
        path: control,
        command: "reload",
        argument: { options: plan.reload, withClient: true },
        told: (event) => this.#told(event as ClusterEventMap["reload"]),
        cancel: interruption.signal,
      })) as ClusterReloadReport;
      this.#replaced = [report, ...Object.values(report.backends ?? {})].reduce(
        (sum, { replaced }) => sum + replaced.length,
        0,
      );
      for (const { canary } of [report, ...Object.values(report.backends ?? {})])
        if (canary !== undefined) screen.line(`canary: ${canary.reason}`);
      screen.end();
    } catch (error) {
      const { code, message } = error as ControlError;
      const why = unended(message.replace(/ Nothing was replaced: .*$/, ""));
      screen.end(why);
      if (code === "LB_RELOAD_CANCELLED") throw new Failed("reload", "it was interrupted", "interrupted");
      const at = code === "LB_RELOAD_CHECK" ? "check" : "reload";
      // What became of it is not known, or it was never begun.
      const isBack = error instanceof ControlError && code.startsWith("LB_RELOAD_");
      throw new Failed(at, why, isBack ? "rolled-back" : "failed");
    }
  }

  #told({ backend, step, instance, done, total }: ClusterEventMap["reload"]): void {
    const { screen, plan } = this.#parts;
    if (step === "replaced" && this.#replaced === 0) {
      // From here on it is deployed, whoever is still there to say so.
      this.#replaced = done;
      this.#record("running");
    }
    if (instance === undefined || step !== "watched") return;
    screen.line(`instance ${instanceName(instance, backend)} does well (${done + 1} of ${total})`);
    const { check } = plan.reload;
    if (done + 1 === total && check !== undefined) screen.line(`GET ${check.path} of each`);
  }

  /** What was changed is changed back, as far as we did it; the rest is what the user has steps for. */
  async #takenBack(failure: Failed): Promise<DeployRecord> {
    const { plan, screen, goal, interruption } = this.#parts;
    if (this.#leads) this.#leadBack();
    const variables = { LB_DEPLOY_FAILED: failure.at, LB_DEPLOY_FAILURE: failure.message };
    for (const step of plan.settings.onFailure) await this.#runStep(step, interruption.force, variables);
    // Where it has led, instances of it may still finish what they had; it goes with the next deploy.
    if (!this.#leads && this.#release !== undefined && !("release" in goal)) {
      plan.releases?.directories.remove(this.#release);
    }
    const record = this.#record(failure.outcome, { at: failure.at, why: failure.message });
    screen.say(summaryOf(record));
    return record;
  }

  #lead(release: string | undefined): void {
    if (release === undefined) return;
    this.#parts.plan.releases?.directories.lead(release);
    this.#leads = true;
  }

  #leadBack(): void {
    if (this.#releaseBefore !== undefined) this.#parts.plan.releases?.directories.lead(this.#releaseBefore);
  }

  #prune(): void {
    const { id, plan, neededReleases, history, screen } = this.#parts;
    const { releases } = plan;
    if (releases === undefined) return;
    const needed = [this.#release, this.#releaseBefore, ...neededReleases].filter((one) => one !== undefined);
    try {
      const failed = new Set(history.failedReleases);
      failed.delete(id);
      const gone = releases.directories.prune({ keep: releases.keep, needed: new Set(needed), failed });
      if (gone.length > 0) screen.say(`removed: ${gone.join(", ")}`);
    } catch (error) {
      screen.say(`Old releases could not be removed: ${(error as Error).message}`);
    }
  }

  #directoryOf(release: string | undefined): string {
    const { directory, releases } = this.#parts.plan;
    return release === undefined || releases === undefined ? directory : releases.directories.pathOf(release);
  }

  #record(outcome: DeployOutcome, failed: DeployRecord["failed"] = null): DeployRecord {
    const { id, goal, history, startedAt } = this.#parts;
    const record: DeployRecord = {
      id,
      kind: goal.kind,
      startedAt: startedAt.toISOString(),
      ms: Date.now() - startedAt.getTime(),
      outcome,
      by: whoDeploys(),
      commit: this.#commit,
      commitBefore: this.#commitBefore,
      release: this.#release ?? null,
      releaseBefore: this.#releaseBefore ?? null,
      steps: this.#steps,
      replaced: this.#replaced,
      failed,
    };
    history.write(record);
    return record;
  }
}

/** Not everybody who runs a process has a name. */
function whoDeploys(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}

/** What became of a deploy that failed, and of what runs. */
function summaryOf({ kind, failed, outcome }: DeployRecord): string {
  const what = kind === "deploy" ? "The deploy" : "The rollback";
  const how = outcome === "interrupted" ? "was interrupted" : "failed";
  const rest =
    failed?.at === "reload" && outcome === "failed"
      ? "See lb status for what runs."
      : "The instances from before go on serving.";
  return `${what} ${how} at ${JSON.stringify(failed?.at)}. ${rest}`;
}
