import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { Clock, Timer } from "../../model/clock.ts";
import type { StepSettings } from "../../options/deploy-options.ts";
import { KeptOutput } from "./kept-output.ts";

export interface StepRun {
  readonly step: StepSettings;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Each line that it writes, as it comes. */
  readonly told: (line: string) => void;
  /** Its process group, for whoever has to know what is left of it. */
  readonly began: (group: number) => void;
  /** Aborted: it is ended, and has failed. Aborted again, by `force`: at once. */
  readonly signal: AbortSignal;
  readonly force: AbortSignal;
}

export interface StepResult {
  readonly name: string;
  readonly ms: number;
  /** Undefined: it is done. Else why not, as the end of a sentence. */
  readonly failure: string | undefined;
  readonly exitCode: number | null;
  readonly output: readonly string[];
}

/** From the signal that it is to end by, to the one that it cannot refuse. */
const graceMs = 5_000;
/** What was started by it may hold its output open for longer than it lives. */
const outputMs = 500;

/**
 * Both streams in the order in which they are written; and it does nothing before its group is noted, or what it does could outlive a deploy
 * that is killed meanwhile, and nobody would know of it.
 */
const untilNoted = "exec 2>&1; read -r lb_noted <&3 || exit; unset lb_noted; exec 3<&-";

export function nameOf({ name, run }: StepSettings): string {
  return name ?? run.trim().split("\n")[0]!;
}

/** Runs a step, with all that it starts in a process group of its own. Resolves when nothing of that is left, whatever became of it. */
export function runStep({ step, cwd, env, clock, told, began, signal, force }: StepRun): Promise<StepResult> {
  const startedAt = clock.now();
  const output = new KeptOutput(told);
  return new Promise((resolve) => {
    let why: string | undefined;
    const timers: Timer[] = [];
    const child = spawn("/bin/sh", ["-c", `${untilNoted}\n${step.run}`], {
      cwd,
      env: { ...env, ...step.env },
      detached: true,
      stdio: ["ignore", "pipe", "ignore", "pipe"],
    });
    const { pid } = child;
    const [, stdout, , gate] = child.stdio as unknown as [null, Readable, null, Writable];
    if (pid !== undefined) began(pid);
    gate.on("error", () => {}).end("\n");
    const kill = (name: NodeJS.Signals) => signalGroup(pid, name);
    const end = (reason: string) => {
      if (why !== undefined) return;
      why = reason;
      kill("SIGTERM");
      timers.push(clock.after(graceMs, () => kill("SIGKILL"), { keepAlive: true }));
    };
    const interrupted = () => end("it was interrupted");
    const forced = () => kill("SIGKILL");
    signal.addEventListener("abort", interrupted);
    force.addEventListener("abort", forced);
    timers.push(clock.after(step.timeoutMs, () => end(`it took longer than ${step.timeoutMs / 1_000} s`)));
    stdout.setEncoding("utf8").on("data", (text: string) => output.write(text));
    child.once("error", (error) => {
      why = error.message;
      if (pid === undefined) done(null);
    });
    child.once("exit", (code, by) => {
      // Of what it has started nothing goes on beside the next step, unless it has left the group.
      kill("SIGKILL");
      const finish = () => done(code, by);
      const late = clock.after(outputMs, finish, { keepAlive: true });
      stdout.once("close", () => {
        late.cancel();
        finish();
      });
    });
    let isDone = false;
    const done = (exitCode: number | null, by?: NodeJS.Signals | null) => {
      if (isDone) return;
      isDone = true;
      for (const timer of timers) timer.cancel();
      signal.removeEventListener("abort", interrupted);
      force.removeEventListener("abort", forced);
      stdout.destroy();
      output.end();
      const failure = why ?? (exitCode === 0 ? undefined : by ? `it was ended by ${by}` : exitWords(exitCode));
      resolve({ name: nameOf(step), ms: Math.round(clock.now() - startedAt), failure, exitCode, output: output.lines });
    };
    if (signal.aborted) interrupted();
  });
}

function exitWords(code: number | null): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  if (code === 127) return "exit code 127: a command in it was not found";
  return signal === undefined ? `exit code ${code}` : `exit code ${code}: ${signal}`;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
