import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Estate } from "./estate.ts";
import { predecessorVariable, type Step, type ToPredecessor, type ToSuccessor } from "./messages.ts";

/** How another primary is started in place of this one. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface SuccessorOptions {
  readonly launch: Launch;
  readonly estate: Estate;
  readonly descriptors: Descriptors;
  readonly clock: Clock;
  /** It says how it gets on. */
  readonly said: (text: string) => void;
}

interface Awaited {
  readonly step: Step;
  readonly resolve: () => void;
  readonly reject: (error: LbError) => void;
}

/** A process that is told to end and does not is killed after this time: its instances end with it. */
const killMs = 10_000;
/** What it said last is read by then. */
const lastWordsMs = 1_000;

/** A primary that is to take this one's place, as long as that is not over. */
export class Successor {
  readonly #options: SuccessorOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #steps = new Set<Step>();
  #failure: LbError | undefined;
  #toldWhy: string | undefined;
  #awaited: Awaited | undefined;

  constructor(options: SuccessorOptions) {
    const { launch, estate, descriptors, said } = options;
    this.#options = options;
    const [program, ...args] = launch.command;
    this.#child = spawn(program, args, {
      cwd: launch.cwd,
      env: { ...launch.env, PWD: launch.cwd, [predecessorVariable]: String(process.pid) },
      // A terminal's Ctrl-C is not for it.
      detached: true,
      stdio: ["ignore", "inherit", "inherit", ...descriptors.stdio],
    });
    const child = this.#child;
    child.on("message", (told: ToPredecessor) => {
      if (told.kind === "said") said(told.text);
      else if (told.kind === "failed") this.#toldWhy = told.message;
      else this.#reached(told.kind);
    });
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#fail(`it could not be started: ${error.message}`);
        resolve();
      });
      child.once("exit", (code, signal) => {
        void this.#lastWords().then(() => {
          const how =
            signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`;
          this.#fail(this.#toldWhy ?? `${how}; this one's standard error has what it wrote`);
          resolve();
        });
      });
    });
    this.#tell({ kind: "estate", estate });
  }

  /** Undefined: there was none. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** By its number there. */
  stream(descriptor: number): Duplex | undefined {
    return (this.#child.stdio[descriptor] as Duplex | null | undefined) ?? undefined;
  }

  /** Resolves when it has got so far. @throws LbError `LB_UPGRADE` if it fails, or has ended */
  async reaches(step: Step): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#steps.has(step)) return;
    await new Promise<void>((resolve, reject) => {
      this.#awaited = { step, resolve, reject };
    });
  }

  accept(): void {
    this.#tell({ kind: "accept" });
  }

  leaveAlone(): void {
    this.#tell({ kind: "alone" });
  }

  /** Resolves after this time. @throws LbError `LB_UPGRADE` if it ends before */
  async stands(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(ms, resolve, { keepAlive: true });
      void this.#exited.then(() => {
        timer.cancel();
        resolve();
      });
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** It is wanted no more. Whoever waits for it hears why. */
  giveUp(why: string): void {
    this.#fail(why);
  }

  /** Resolves when it is gone, with its instances. */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = this.#options.clock.after(killMs, () => this.#child.kill("SIGKILL"), { keepAlive: true });
    await this.#exited;
    timer.cancel();
  }

  /** It goes on by itself: this process has no more to do with it. */
  letGo(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  #tell(told: ToSuccessor): void {
    if (this.#child.connected) this.#child.send(told, () => {});
  }

  #reached(step: Step): void {
    this.#steps.add(step);
    if (this.#awaited?.step !== step) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }

  #fail(why: string): void {
    const text = `The new primary has not taken over, and all is as it was: ${why.replace(/\.$/, "")}.`;
    this.#failure ??= new LbError("LB_UPGRADE", text);
    this.#awaited?.reject(this.#failure);
    this.#awaited = undefined;
  }

  /** They may be read after its end is known. */
  async #lastWords(): Promise<void> {
    if (!this.#child.connected) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(lastWordsMs, resolve, { keepAlive: true });
      this.#child.once("disconnect", () => {
        timer.cancel();
        resolve();
      });
    });
  }
}
