import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { unended } from "../../log/words.ts";
import { systemClock } from "../../model/clock.ts";
import { LbError } from "../../model/errors.ts";
import { type PlanFlags, plan, type StartPlan } from "../start-plan.ts";
import { carried } from "./carried-config.ts";

/** A configuration that takes longer to say what it has is given up. */
const readingMs = 15_000;

type Answer = { readonly planned: unknown } | { readonly error: string };

/**
 * What a configuration says now, by a process of its own: here its modules are loaded once and for all, and what it does while it is
 * read would hold up the front. Functions are carried as what is written.
 *
 * @throws LbError `LB_CONFIG`
 */
export function readAnew(file: string, { only, env }: Pick<PlanFlags, "only" | "env">): Promise<unknown> {
  const chosen = [...(only === undefined ? [] : ["--only", only]), ...(env === undefined ? [] : ["--env", env])];
  const execArgv = process.execArgv.filter((argument) => !/^--(inspect|debug)/.test(argument));
  const child = fork(fileURLToPath(import.meta.url), ["config", "read", file, ...chosen], {
    execArgv,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new LbError("LB_CONFIG", message));
    const cannot = (what: string) => fail(`The configuration ${file} cannot be read: ${unended(what)}.`);
    const timer = systemClock.after(readingMs, () => {
      cannot(`it took longer than ${readingMs / 1_000} s`);
      child.kill("SIGKILL");
    });
    child.once("message", (answer: Answer) => {
      if ("planned" in answer) resolve(answer.planned);
      else fail(answer.error);
      child.kill();
    });
    child.once("error", (error) => cannot(error.message));
    child.once("exit", (code, signal) => {
      timer.cancel();
      cannot(`the process that read it ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** In that process. */
export async function answerConfig(file: string, choice: Pick<PlanFlags, "only" | "env">): Promise<void> {
  const answer = await plan(undefined, { ...choice, config: file }).then(
    (planned: StartPlan): Answer => ({ planned: carried(planned) }),
    (error: Error): Answer => ({ error: error.message }),
  );
  await new Promise<void>((done) => {
    try {
      process.send?.(answer, () => done());
    } catch (error) {
      process.send?.({ error: `What ${file} holds cannot be carried: ${(error as Error).message}.` }, () => done());
    }
  });
}
