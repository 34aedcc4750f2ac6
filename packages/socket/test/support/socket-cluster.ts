import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { EdgeOfCluster, withEdge } from "../../../core/test/support/edge.ts";
import { instancePorts } from "../../../core/test/support/free-ports.ts";
import { connect } from "./socket-client.ts";

const takeInstancePorts = await instancePorts();

export interface SocketClusterOptions {
  /** For `cluster()`. */
  readonly cluster?: object;
  /** For `setupWorker()`. */
  readonly socket?: object;
  /** For `new Server()`. */
  readonly io?: object;
}

interface Instance {
  readonly id: number;
  readonly pid: number | null;
  readonly port: number;
  readonly state: string;
}

interface Report {
  readonly kind: string;
  readonly id?: number;
  readonly status?: Parameters<EdgeOfCluster["seen"]>[0] & { readonly instances: readonly Instance[] };
  readonly error?: { readonly message: string };
  readonly message?: string;
}

/** A cluster of `fixtures/socket-app.ts` that all tests of a suite use together. */
export class SocketCluster implements AsyncDisposable {
  readonly child: ChildProcess;
  output = "";
  #url = "";
  readonly #reports: Report[] = [];
  #wake: () => void = () => {};
  #operations = 0;
  readonly #ports = takeInstancePorts();
  readonly #edge = new EdgeOfCluster();

  private constructor({ cluster = {}, socket = {}, io = {} }: SocketClusterOptions) {
    const options = { port: 0, workerPort: this.#ports.first, instances: 3, control: false, ...cluster };
    this.child = spawn(process.execPath, [resolve(import.meta.dirname, "../fixtures/socket-app.ts")], {
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        LB_TEST_OPTIONS: JSON.stringify(withEdge(options)),
        LB_TEST_SOCKET: JSON.stringify(socket),
        LB_TEST_IO: JSON.stringify(io),
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.child.on("message", (report: Report) => {
      if (report.kind !== "event") this.#reports.push(report);
      this.#wake();
    });
    this.child.once("exit", () => this.#wake());
  }

  static async start(options: SocketClusterOptions = {}): Promise<SocketCluster> {
    const started = new SocketCluster(options);
    try {
      const { kind, status, message } = await started.#next(({ kind }) => kind === "up" || kind === "failed");
      if (kind === "failed") throw new Error(message);
      started.#url = (await started.#edge.seen(status!)).url;
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  get url(): string {
    return this.#url;
  }

  async instances(): Promise<readonly Instance[]> {
    this.child.send({ ask: "status" });
    return (await this.#next((report) => report.kind === "status")).status!.instances;
  }

  /** Of the processes there are, as long as they are the same. */
  async pids(): Promise<readonly number[]> {
    return (await this.instances()).flatMap(({ pid }) => pid ?? []);
  }

  async operate(operation: "reload" | "restart" | "scale" | "drain" | "resume", argument?: unknown): Promise<void> {
    const id = ++this.#operations;
    this.child.send({ ask: "operate", id, operation, argument });
    const { error } = await this.#next((report) => report.kind === "operated" && report.id === id);
    if (error !== undefined) throw new Error(error.message);
  }

  /** What `setupWorker()` returned says of itself, on each instance. */
  async statuses(): Promise<readonly { redis?: { state: string; connections: { name: string; error?: string }[] } }[]> {
    const running = (await this.instances()).filter(({ state }) => state === "ready");
    return Promise.all(
      running.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/status`)).json() as Promise<never>),
    );
  }

  /** A client that is connected; see `connect`. */
  connect(options?: Parameters<typeof connect>[1]): ReturnType<typeof connect> {
    return connect(this.#url, options);
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((done) => child.once("exit", done));
      process.kill(-child.pid!, "SIGKILL");
      await exited;
    }
    await this.#edge.close();
    this.#ports.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #next(wanted: (report: Report) => boolean, withinMs = 20_000): Promise<Report> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const at = this.#reports.findIndex(wanted);
      if (at !== -1) return this.#reports.splice(at, 1)[0]!;
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      const leftMs = deadline - performance.now();
      if (ended || leftMs <= 0) throw new Error(`The cluster ${ended ? "ended" : "does not answer"}:\n${this.output}`);
      await new Promise<void>((woken) => {
        const timer = setTimeout(woken, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          woken();
        };
      });
    }
  }
}
