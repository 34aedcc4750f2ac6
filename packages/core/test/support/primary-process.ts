import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFailed, onTestFinished } from "vitest";
import type { ClusterEventMap, ClusterStatus } from "../../src/index.ts";
import { EdgeOfCluster, withEdge } from "./edge.ts";
import { eventually } from "./eventually.ts";
import { type InstancePorts, instancePorts } from "./free-ports.ts";
import { descendantsOf } from "./processes.ts";

const takeInstancePorts = await instancePorts();
const fixtures = resolve(import.meta.dirname, "../fixtures");

/** The test's environment must not reach into the cluster's options; compiled sources are worth keeping. */
const neutral = {
  NODE_OPTIONS: undefined,
  WEB_CONCURRENCY: undefined,
  PORT: undefined,
  // Beside what a test may look at.
  LB_CONTROL_DIR: join(tmpdir(), "lb-test-control"),
};

/** An event of the cluster, as it came through the JSON channel. */
export type ClusterEvent = {
  [Name in keyof ClusterEventMap]: { readonly name: Name; readonly argument: ClusterEventMap[Name] };
}[keyof ClusterEventMap];

/** What a fixture that ends with `report(cluster(…))` tells the test; see `fixtures/report.ts`. */
export type Report =
  | { readonly kind: "up"; readonly status: ClusterStatus }
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly code: string;
      readonly message: string;
      readonly cause: string | undefined;
    }
  | ({ readonly kind: "event" } & ClusterEvent)
  | { readonly kind: "status"; readonly status: ClusterStatus }
  | { readonly kind: "closed" }
  | { readonly kind: "operated"; readonly id: number; readonly result?: unknown; readonly error?: OperationError };

/** An operation of the cluster's rejected, or threw. */
export interface OperationError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly step?: string;
  readonly instance?: number;
  readonly replaced?: readonly number[];
}

export type Operation =
  | "signal"
  | "reload"
  | "reloadCertificates"
  | "restart"
  | "scale"
  | "drain"
  | "resume"
  | "setCertificates";

/** What the test may ask a fixture. */
export type Ask =
  | { readonly ask: "status" }
  | { readonly ask: "close"; readonly graceMs: number | undefined }
  | ({ readonly ask: "operate"; readonly id: number; readonly argument: unknown } & Operated);

interface Operated {
  readonly operation: Operation;
  /** Of these instances alone. */
  readonly backend: string | undefined;
}

export interface PrimaryOptions {
  readonly args?: readonly string[];
  /** For Node itself, e.g. `["--import", "tsx"]`. */
  readonly execArgv?: readonly string[];
  /** Added to the test's own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** A shell command that runs first and shapes the process, e.g. `"ulimit -n 150"`. */
  readonly shell?: string;
  /** Takes what ends it; by default it ends with the test. */
  readonly finished?: (end: () => Promise<void>) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A fixture that runs as a primary, in a process group of its own. Whatever it has left is killed after the test. */
export class PrimaryProcess {
  /** Every event of the cluster, from the moment it was up. */
  readonly events: ClusterEvent[] = [];
  readonly exited: Promise<Exit>;
  stdout = "";
  /** Its log included. */
  #stderr = "";
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  #exit: Exit | undefined;
  #operations = 0;
  readonly #ports = takeInstancePorts();
  /** Tests of the edge itself have options of their own for it. */
  readonly #edge: EdgeOfCluster | undefined;

  /** `fixture`: a file in `test/fixtures`, or an absolute path. */
  constructor(
    fixture: string,
    { args = [], execArgv = [], env = {}, cwd, shell = ":", finished = onTestFinished }: PrimaryOptions = {},
  ) {
    const given = JSON.parse(env["LB_TEST_OPTIONS"] ?? "{}");
    const options = withEdge(onOwnPorts(given, this.#ports));
    this.#edge = "https" in given ? undefined : new EdgeOfCluster();
    const command = [process.execPath, ...execArgv, resolve(fixtures, fixture), ...args];
    this.#child = spawn("/bin/sh", ["-c", `${shell}; exec "$0" "$@"`, ...command], {
      cwd,
      env: { ...process.env, ...neutral, ...env, LB_TEST_OPTIONS: JSON.stringify(options) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child.on("message", (report: Report) => {
      if (report.kind === "event") this.events.push(report);
      else this.#reports.push(report);
    });
    this.exited = new Promise((done) => {
      this.#child.once("exit", (code, signal) => {
        this.#exit = { code, signal };
        done(this.#exit);
      });
    });
    finished(() => this.#killAll());
    if (finished === onTestFinished) onTestFailed(() => console.error(this.#say("A test failed.").slice(-8_000)));
  }

  /** What it wrote to standard error but for its log. */
  get stderr(): string {
    return this.#lines(false);
  }

  /** What the cluster's own log says, the option `log` being what it is by default. */
  get log(): string {
    return this.#lines(true);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The state in which it came up. Rejects, with its output, when it did not. */
  async up(): Promise<ClusterStatus> {
    const report = await this.#next("up", 20_000);
    return this.#seen(report.status);
  }

  /** The error with which `cluster()` rejected. */
  failed(): Promise<Extract<Report, { kind: "failed" }>> {
    return this.#next("failed", 20_000);
  }

  async status(): Promise<ClusterStatus> {
    this.#ask({ ask: "status" });
    return this.#seen((await this.#next("status")).status);
  }

  /** Calls an operation of the cluster's; rejects with what it rejects with. */
  operate(operation: Operation, argument?: unknown, withinMs = 30_000): Promise<unknown> {
    return this.#operate({ operation, backend: undefined }, argument, withinMs);
  }

  /** The same for the instances of one backend, or for the app's. */
  operateOn(backend: string, operation: Operation, argument?: unknown): Promise<unknown> {
    return this.#operate({ operation, backend }, argument, 30_000);
  }

  async #operate(operated: Operated, argument: unknown, withinMs: number): Promise<unknown> {
    const id = ++this.#operations;
    this.#ask({ ask: "operate", id, argument, ...operated });
    const report = await this.#next("operated", withinMs, (one) => one.id === id);
    if (report.error === undefined) return report.result;
    throw Object.assign(new Error(report.error.message), report.error);
  }

  /** Resolves when the primary's own `close()` has. */
  async close(graceMs?: number): Promise<void> {
    this.#ask({ ask: "close", graceMs });
    await this.#next("closed");
  }

  /** The first event of that name, past or to come, that is as wanted. */
  async event<Name extends keyof ClusterEventMap>(
    name: Name,
    wanted: (argument: ClusterEventMap[Name]) => boolean = () => true,
  ): Promise<ClusterEventMap[Name]> {
    const found = await eventually(
      () => this.events.find((event) => event.name === name && wanted(event.argument as ClusterEventMap[Name])),
      { what: () => this.#say(`an event "${name}"; there were ${this.events.map((event) => event.name).join(", ")}`) },
    );
    return found.argument as ClusterEventMap[Name];
  }

  /** Until the status is as wanted. */
  async statusThat(wanted: (status: ClusterStatus) => boolean, withinMs = 20_000): Promise<ClusterStatus> {
    let last: ClusterStatus | undefined;
    return eventually(
      async () => {
        last = await this.status();
        return wanted(last) && last;
      },
      { withinMs, what: () => this.#say(`the wanted status; the last one is ${JSON.stringify(last)}`) },
    );
  }

  async workerPids(): Promise<number[]> {
    return (await this.status()).instances.flatMap(({ pid }) => pid ?? []);
  }

  /** As clients reach it. */
  async #seen(status: ClusterStatus): Promise<ClusterStatus> {
    return this.#edge === undefined ? status : this.#edge.seen(status);
  }

  #ask(ask: Ask): void {
    this.#child.send(ask);
  }

  async #next<Kind extends Report["kind"]>(
    kind: Kind,
    withinMs?: number,
    wanted: (report: Extract<Report, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<Report, { kind: Kind }>> {
    const found = await eventually(
      () => {
        const index = this.#reports.findIndex(
          (report) => report.kind === kind && wanted(report as Extract<Report, { kind: Kind }>),
        );
        if (index >= 0) return this.#reports.splice(index, 1)[0];
        if (this.#exit !== undefined && !this.#child.connected) throw new Error(this.#say(`the report "${kind}"`));
        return undefined;
      },
      { what: `the report "${kind}"`, ...(withinMs !== undefined && { withinMs }) },
    ).catch((error: Error) => {
      throw new Error(this.#say(error.message));
    });
    return found as Extract<Report, { kind: Kind }>;
  }

  #say(what: string): string {
    const end = this.#exit === undefined ? "runs" : `ended: ${JSON.stringify(this.#exit)}`;
    return `${what}\nThe primary ${end}\n${JSON.stringify(this.#reports)}\n${this.stdout}\n${this.#stderr}`;
  }

  #lines(ofLog: boolean): string {
    const lines = this.#stderr.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    let isLog = false;
    return lines
      .filter((line) => {
        // The program's stack stands below the line that is about it.
        isLog = line.startsWith("lb: ") || (isLog && line.startsWith("    "));
        return isLog === ofLog;
      })
      .join("");
  }

  /** Its workers have groups of their own, and nobody would tell of those that a killed primary leaves behind. */
  async #killAll(): Promise<void> {
    if (this.#child.pid === undefined) return;
    const { pid } = this;
    const all = this.#exit === undefined ? descendantsOf(pid).flatMap((one) => [-one, one]) : [];
    for (const one of [-pid, ...all]) {
      try {
        process.kill(one, "SIGKILL");
      } catch {
        // It has ended already, or leads no group.
      }
    }
    await this.exited;
    await this.#edge?.close();
    this.#ports.release();
  }
}

/** Where instances may listen anywhere, they do so where no cluster of another test looks for a port. */
function onOwnPorts(
  options: { readonly port?: unknown; readonly instances?: unknown },
  { first, count }: InstancePorts,
): object {
  const few = typeof options.instances === "number" && options.instances <= count;
  return options.port === 0 && few ? { workerPort: first, ...options } : options;
}

/** A cluster that is up, and the status in which it came up. */
export async function startPrimary(
  fixture: string,
  options?: PrimaryOptions,
): Promise<{ primary: PrimaryProcess; up: ClusterStatus }> {
  const primary = new PrimaryProcess(fixture, options);
  return { primary, up: await primary.up() };
}
