import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { Announcement, ProcessVitals, WorkerFailure } from "../../ipc/messages.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { LbError } from "../../model/errors.ts";
import type { GroupGuard } from "../group-guard.ts";
import { isPortFree } from "../ports.ts";
import { endGroup, hasGroups, signalGroup } from "../process-group.ts";
import type { FirstProbe, WorkerExit, WorkerObserver, WorkerProcess } from "../worker-contract.ts";
import type { OutputReader } from "../worker-output.ts";
import { hintAfterMs, killMarginMs, terminateMs } from "../worker-times.ts";
import type { CommandLine } from "./command-line.ts";
import type { GroupVitals } from "./group-vitals.ts";
import { type LogMark, Readiness } from "./readiness.ts";

/** What a program is started with. */
export interface ProgramSpec {
  /** 1…N. */
  readonly instance: number;
  readonly commandLine: CommandLine;
  readonly cwd: string | undefined;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where it is to listen. */
  readonly host: string;
  /** Undefined: nowhere. */
  readonly port: number | undefined;
  /** Without a port: it is ready when it has run for so long. */
  readonly uptimeMs: number;
  readonly log: LogMark | undefined;
  readonly checks: readonly (() => FirstProbe)[];
  readonly startTimeoutMs: number;
  readonly stop: NodeJS.Signals;
  /** Gets what it writes; undefined: it writes where this process does. */
  readonly output: OutputReader | undefined;
  /** Resolves when nothing is open any more that was routed to it. */
  readonly unused: () => Promise<void>;
  /** It is reached from everywhere. */
  readonly foundOpen: (place: string) => void;
}

export interface ProgramSurroundings {
  readonly clock: Clock;
  readonly guard: GroupGuard;
  /** Undefined: nobody wants to know. */
  readonly vitals: GroupVitals | undefined;
}

const noExit: WorkerExit = { exitCode: null, signal: null, spawnError: undefined };

/** Any program, with all that it starts: it is looked at from outside, and hears signals alone. */
export class ProgramWorker implements WorkerProcess {
  /** Connections are never handed to it. */
  readonly child = undefined;
  readonly #spec: ProgramSpec;
  readonly #observer: WorkerObserver;
  readonly #surroundings: ProgramSurroundings;
  #process: ChildProcess | undefined;
  /** `settled`: the start has its result, and no other is taken. */
  #phase: "starting" | "settled" | "exited" = "starting";
  #readiness: Readiness | undefined;
  readonly #startTimer: Timer;
  readonly #hintTimer: Timer | undefined;
  #unwatch: () => void = () => {};
  /** The whole cluster ends, and no request comes any more. */
  #isLast = false;
  #signalled = false;
  #signalTimer: Timer | undefined;
  #killTimer: Timer | undefined;
  /** By the clock. */
  #killAt: number | undefined;

  constructor(spec: ProgramSpec, observer: WorkerObserver, surroundings: ProgramSurroundings) {
    this.#spec = spec;
    this.#observer = observer;
    this.#surroundings = surroundings;
    const { clock } = surroundings;
    this.#startTimer = clock.after(spec.startTimeoutMs, () => observer.workerStartTimedOut(this.#whyNotReady));
    if (spec.startTimeoutMs > hintAfterMs) {
      this.#hintTimer = clock.after(hintAfterMs, () => observer.workerStartsSlowly(this.#whyNotReady));
    }
    void this.#begin();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  drain(graceMs: number): void {
    const { clock } = this.#surroundings;
    this.#settleStart();
    this.#killAfter(graceMs + killMarginMs);
    if (this.#isLast) {
      this.#signal();
      return;
    }
    this.#signalTimer?.cancel();
    this.#signalTimer = clock.after(graceMs, () => this.#signal(), { keepAlive: true });
    void this.#spec.unused().then(() => this.#signal());
  }

  /** It cannot be told. */
  openPort(): void {}

  tell({ type }: Announcement): void {
    if (type === "closing") this.#isLast = true;
  }

  send(): boolean {
    return false;
  }

  async profile(): Promise<never> {
    const remedy = "use the profiler of its language";
    throw new LbError("LB_PROFILE_IMPOSSIBLE", `It is a program of its own, into which lb does not see: ${remedy}.`);
  }

  signal(signal: NodeJS.Signals): boolean {
    const { pid } = this;
    if (pid === undefined || this.#phase === "exited") return false;
    return (this.#spec.commandLine.throughShell && signalGroup(pid, signal)) || this.#process!.kill(signal);
  }

  terminate(): void {
    this.#settleStart();
    this.#killAfter(terminateMs);
    this.#signal();
    // It was not started yet, or could not be.
    if (this.pid === undefined) this.#surroundings.clock.after(0, () => this.#exit(noExit), { keepAlive: true });
  }

  kill(): void {
    const { pid } = this;
    if (pid === undefined || !signalGroup(pid, "SIGKILL")) this.#process?.kill("SIGKILL");
  }

  /** What already listens there would be taken for the program, and answer in its place. */
  async #begin(): Promise<void> {
    const { host, port, instance } = this.#spec;
    const isFree = port === undefined || (await isPortFree(port, host));
    if (this.#phase !== "starting") return;
    if (isFree) {
      this.#spawn();
      return;
    }
    const message =
      `Instance ${instance} needs the port ${port}, which is taken. ` +
      'Free it, or choose other ports with the option "workerPort".';
    this.#fail({ code: "LB_PORT_BUSY", message });
  }

  #spawn(): void {
    const { commandLine, cwd, env, output, instance, host, port, uptimeMs, log, checks } = this.#spec;
    const { guard, clock } = this.#surroundings;
    let started: ChildProcess;
    try {
      const written = output === undefined ? "inherit" : "pipe";
      started = spawn(commandLine.file, commandLine.args, {
        cwd,
        env,
        detached: hasGroups,
        stdio: ["ignore", written, written],
      });
    } catch (error) {
      this.#cannotStart(error as Error);
      return;
    }
    this.#process = started;
    started.on("error", (error) => {
      // Also emitted when a signal could not be sent, which only matters if there never was a process.
      if (started.pid === undefined) this.#cannotStart(error);
    });
    const { pid } = started;
    if (pid === undefined) return;
    guard.watch(pid, this.#spec.stop);
    const readiness = new Readiness({ leader: pid, host, port, uptimeMs, log, checks, clock });
    this.#readiness = readiness;
    output?.read(instance, started, (text) => readiness.line(text));
    void readiness.passed.then(() => this.#ready(pid));
    started.on("exit", (exitCode, signal) => this.#ended({ ...noExit, exitCode, signal }));
  }

  #ready(pid: number): void {
    if (!this.#settleStart()) return;
    const { vitals } = this.#surroundings;
    if (vitals !== undefined) {
      this.#unwatch = vitals.watch(pid, (found: ProcessVitals) => this.#observer.workerVitals(found));
    }
    this.#observer.workerReady("own-port");
    void this.#readiness!.openPlace().then((place) => {
      if (place !== undefined) this.#spec.foundOpen(place);
    });
  }

  #ended(exit: WorkerExit): void {
    if (this.#phase === "starting" && (exit.exitCode === 127 || exit.exitCode === 126)) {
      const { commandLine, instance } = this.#spec;
      const what = exit.exitCode === 127 ? "was not found" : "cannot be run";
      const remedy = "Its own output, above, says which; give its path, or put it on the PATH.";
      this.#fail({
        code: "LB_EXEC",
        message: `Instance ${instance}: the command ${what} (${commandLine.shown}). ${remedy}`,
      });
    }
    this.#observer.workerDetached();
    const advice = "A program has to stay in the foreground, as `nginx -g 'daemon off;'` does.";
    this.#exit(exit.exitCode === 0 ? { ...exit, advice } : exit);
  }

  #cannotStart(error: Error): void {
    const { commandLine, cwd, instance } = this.#spec;
    const missing = cwd !== undefined && !isDirectory(cwd);
    const why = missing ? `there is no directory ${cwd}` : `${commandLine.file} cannot be run: ${error.message}`;
    this.#fail({ code: "LB_EXEC", message: `Instance ${instance} cannot be started, since ${why}.` });
    this.#exit({ ...noExit, spawnError: error });
  }

  #fail(failure: WorkerFailure): void {
    if (this.#settleStart()) this.#observer.workerFailed(failure);
  }

  get #whyNotReady(): string {
    return this.#readiness?.found ?? "it was not started yet";
  }

  /** Once: some take a second signal as an order to leave everything. */
  #signal(): void {
    this.#signalTimer?.cancel();
    if (this.#signalled || this.pid === undefined || this.#phase === "exited") return;
    this.#signalled = true;
    const { stop, commandLine } = this.#spec;
    if (!commandLine.throughShell || !signalGroup(this.pid, stop)) this.#process!.kill(stop);
  }

  #killAfter(ms: number): void {
    const { clock } = this.#surroundings;
    this.#killTimer?.cancel();
    this.#killAt = clock.now() + ms;
    this.#killTimer = clock.after(ms, () => this.kill(), { keepAlive: true });
  }

  /** False when it was settled before. */
  #settleStart(): boolean {
    if (this.#phase !== "starting") return false;
    this.#phase = "settled";
    this.#readiness?.stop();
    this.#startTimer.cancel();
    this.#hintTimer?.cancel();
    return true;
  }

  /** What it started ends before anybody hears of it: a successor may need the same port. */
  #exit(exit: WorkerExit): void {
    if (this.#phase === "exited") return;
    this.#settleStart();
    this.#phase = "exited";
    this.#unwatch();
    this.#signalTimer?.cancel();
    const { pid } = this;
    const { clock, guard } = this.#surroundings;
    const done = () => {
      this.#killTimer?.cancel();
      if (pid !== undefined) guard.forget(pid);
      this.#observer.workerExited(exit);
    };
    if (pid === undefined) {
      done();
      return;
    }
    const { throughShell } = this.#spec.commandLine;
    const ms = Math.max(0, (this.#killAt ?? 0) - clock.now());
    endGroup({ leader: pid, grace: this.#signalled ? { ms, told: throughShell } : undefined, clock }, done);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
