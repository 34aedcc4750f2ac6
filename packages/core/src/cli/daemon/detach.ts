import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { sizeOf } from "../../access-log/rotation.ts";
import { listedName } from "../../control/control-directory.ts";
import { printable } from "../../log/printable.ts";
import { systemClock } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";
import { say } from "../say.ts";
import { runningClusters } from "../targets.ts";
import { terminalSafe } from "../terminal-safe.ts";
import { type DetachedFacts, detachedVariable, type Told } from "./detached.ts";
import { type Launch, logFile, primaryLogFile, writeLaunch } from "./launch.ts";
import { lastLines } from "./log-tail.ts";
import { directoryOf, makeDirectory } from "./state-directory.ts";

/** Of the log, and of what the process itself wrote, when a start has failed. */
const shownLines = 20;
const shownTraceLines = 40;

/**
 * Starts a cluster in a session of its own, which goes on when the terminal is closed. Resolves when all of its instances are ready, with
 * its process.
 *
 * @throws CliError if one of that name runs, or if the start fails
 */
export async function detach(launch: Launch): Promise<number> {
  const { name, log } = launch;
  await refuseSecond(name);
  makeDirectory(directoryOf(name));
  makeDirectory(log.directory);
  const path = logFile(launch);
  const begin = await sizeOf(path);
  writeLaunch(launch);
  const { pid, failed } = await startedBy(launch);
  if (failed === undefined) return pid;
  const said = [
    ...(await lastLines(path, shownLines, begin)),
    ...readFileSync(primaryLogFile(name), "utf8").trimEnd().split("\n").slice(-shownTraceLines),
  ].filter((line) => line !== "");
  for (const line of said) console.error(terminalSafe(line, true));
  throw new CliError(`${printable(name)} did not start: its process ${failed.how}. Its log: ${path}`, failed.exitCode);
}

async function refuseSecond(name: string): Promise<void> {
  const other = (await runningClusters()).find((one) => one.name === listedName(name));
  if (other === undefined) return;
  const shown = printable(name);
  const remedy = `lb reload ${shown} replaces its instances, lb stop ${shown} ends it, --name gives this one another name.`;
  throw new CliError(`A cluster that is called ${shown} runs already (pid ${other.pid}): ${remedy}`, 1);
}

interface Started {
  readonly pid: number;
  /** Undefined: it is ready. */
  readonly failed: { readonly how: string; readonly exitCode: number } | undefined;
}

function startedBy({ name, command, cwd, env, log }: Launch): Promise<Started> {
  const [node, ...args] = command as [string, ...string[]];
  const facts: DetachedFacts = { name, log };
  const output = openSync(primaryLogFile(name), "w", 0o600);
  const child = spawn(node, args, {
    cwd,
    // By which links it was meant, the system does not know.
    env: { ...env, PWD: cwd, [detachedVariable]: JSON.stringify(facts) },
    detached: true,
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    // Whoever gives up waiting for a start gives it up.
    const interrupted = () => child.kill("SIGTERM");
    const signals = ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) process.on(signal, interrupted);
    const done = (failed: Started["failed"]) => {
      for (const signal of signals) process.off(signal, interrupted);
      if (child.connected) child.disconnect();
      child.unref();
      resolve({ pid: child.pid!, failed });
    };
    child.once("error", (error) => reject(new CliError(`${node} cannot be run: ${error.message}.`, 1)));
    child.on("message", (told: Told) => {
      if (told.kind === "ready") {
        // A terminal is its user's alone, which a file may not be.
        if (told.dashboard !== undefined && process.stderr.isTTY) console.error(`dashboard: ${told.dashboard}`);
        return done(undefined);
      }
      for (const line of told.text.split("\n")) console.error(terminalSafe(line, true));
    });
    child.once("exit", (code, signal) => {
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      // What it wrote last may come after its end.
      systemClock.after(0, () => done({ how, exitCode: code === 2 ? 2 : 1 }), { keepAlive: true });
    });
  });
}

/** Behind what lb itself has said of the start. */
export function sayWhere({ name, ...launch }: Launch, pid: number): void {
  const shown = /^[\w.-]+$/.test(name) ? name : `--name ${JSON.stringify(name)}`;
  say(`${printable(name)} runs in the background, pid ${pid}; its log: ${logFile({ name, ...launch })}`);
  say(`  lb logs ${shown} -f    lb status ${shown}    lb stop ${shown}`);
}
