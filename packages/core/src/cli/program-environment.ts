import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { unended } from "../log/words.ts";
import { systemClock } from "../model/clock.ts";
import { type VariableSource, type Variables, variablesSchema } from "../options/environment-options.ts";
import { parseOptions } from "../options/validation.ts";
import { withHook } from "../worker/listen/child-places.ts";
import { CliError } from "./cli-error.ts";
import { readConfigFile } from "./config-file.ts";
import { colourEnvironment } from "./output-writer.ts";
import { importPm2Config, isPm2Config } from "./pm2-config.ts";
import { resolveEntry } from "./resolve-entry.ts";
import type { PlanFlags, StartPlan } from "./start-plan.ts";
import { entryVariables } from "./started-entry.ts";

/** Loaded by the instances, for the threads and processes that a program starts. */
const childHook = fileURLToPath(new URL("./child-hook.cjs", import.meta.url));

/** A configuration that takes longer to say what it has is given up. */
const readingMs = 15_000;

type Choice = Pick<PlanFlags, "only" | "env">;

/** What `lb start` has in the environment of its instances: what the configuration says there, and what it takes to run a program. */
export function programEnvironment(
  planNow: () => Exclude<StartPlan, { readonly kind: "front" }>,
  choice: Choice,
): VariableSource {
  let isFirst = true;
  return async (given) => {
    const planned = planNow();
    const { configFile, config } = planned;
    const reread = !isFirst && configFile !== undefined;
    isFirst = false;
    const configured = reread ? await envAnew(configFile, choice, given) : await envOf(config.env, given);
    const variables = { ...colourEnvironment(process.stdout, process.env), ...configured };
    if (planned.kind !== "app") return variables;
    return {
      ...variables,
      NODE_OPTIONS: withHook(childHook, variables["NODE_OPTIONS"] ?? given["NODE_OPTIONS"]),
      ...entryVariables(resolveEntry(planned.wanted)),
    };
  };
}

async function envOf(env: Variables | VariableSource = {}, given: Parameters<VariableSource>[0]): Promise<Variables> {
  return typeof env === "function" ? ((await env(given)) ?? {}) : env;
}

/**
 * What a configuration says now, by a process of its own: here its modules are loaded once and for all, and what it does while it is
 * read would hold up the front.
 */
function envAnew(file: string, { only, env }: Choice, given: object): Promise<Variables> {
  const chosen = [...(only === undefined ? [] : ["--only", only]), ...(env === undefined ? [] : ["--env", env])];
  const execArgv = process.execArgv.filter((argument) => !/^--(inspect|debug)/.test(argument));
  const child = fork(fileURLToPath(import.meta.url), ["config-env", file, ...chosen], {
    execArgv,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      reject(new CliError(`The configuration ${file} cannot be read: ${unended(what)}.`, 2));
    const timer = systemClock.after(readingMs, () => {
      fail(`it took longer than ${readingMs / 1_000} s`);
      child.kill("SIGKILL");
    });
    child.once("message", (answer: EnvAnswer) => {
      if ("env" in answer) resolve(answer.env);
      else reject(new CliError(answer.error, 2));
      child.kill();
    });
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => {
      timer.cancel();
      fail(`the process that read it ended with ${signal ?? `exit code ${code}`}`);
    });
    child.send(given, () => {});
  });
}

type EnvAnswer = { readonly env: Variables } | { readonly error: string };

/** In that process: the answer to what its parent asks. */
export function answerEnv(file: string, choice: Choice): Promise<void> {
  return new Promise((done) => {
    process.once("message", async (given: Record<string, string>) => {
      const answer = await readEnv(file, choice, given).then(
        (env): EnvAnswer => ({ env }),
        (error: Error): EnvAnswer => ({ error: error.message }),
      );
      process.send?.(answer, () => done());
    });
  });
}

async function readEnv(file: string, choice: Choice, given: Record<string, string>): Promise<Variables> {
  const { content } = (await readConfigFile(file))!;
  const config = isPm2Config(content) ? importPm2Config(content, choice).config : content;
  const { env } = config as { readonly env?: Variables | VariableSource };
  try {
    return parseOptions(variablesSchema, await envOf(env, given), "env");
  } catch (error) {
    throw new CliError(`The configuration ${file} cannot be used: ${unended((error as Error).message)}.`, 2);
  }
}
