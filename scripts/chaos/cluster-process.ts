import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ClusterStatus } from "../../packages/core/src/index.ts";
import type { Happening } from "./fates.ts";
import { type Edge, edgeOptions } from "./place.ts";

/** What the program under chaos tells over its channel. */
export type Told =
  | { readonly kind: "up"; readonly port: number; readonly httpsPort: number }
  | Extract<Happening, { kind: "exit" | "ready" }>
  /** An event that must not be. */
  | { readonly kind: "fault"; readonly what: string }
  | { readonly kind: "done"; readonly id: number; readonly result?: unknown; readonly error?: string };

export interface ClusterOptions {
  readonly node: string;
  readonly mode: "proxy" | "handoff";
  readonly edge: Edge;
  readonly folder: string;
  readonly journal: string;
  readonly happened: (happening: Extract<Told, { kind: "exit" | "ready" }>) => void;
  readonly failed: (what: string) => void;
}

/** Pauses are short, and deaths never make a crash loop: how many instances serve is the faults' affair, not the back-off's. */
const settings = {
  instances: 4,
  port: 0,
  drainTimeoutMs: 4_000,
  timeouts: { responseMs: 8_000 },
  heartbeat: { intervalMs: 200, outAfterMs: 800, killAfterMs: 8_000 },
  restart: { delayMs: 50, maxDelayMs: 500, maxCrashes: 100_000 },
  log: "text",
};

/** The cluster's primary, as a process of its own, and what can be seen of it from outside. */
export class ClusterProcess {
  readonly child: ChildProcess;
  readonly up: Promise<{ readonly port: number; readonly httpsPort: number }>;
  readonly exited: Promise<number | null>;
  ended = false;
  #asked = 0;
  readonly #answers = new Map<number, (told: Extract<Told, { kind: "done" }>) => void>();

  constructor({ node, mode, edge, folder, journal, happened, failed }: ClusterOptions) {
    const output = openSync(join(folder, "output.log"), "a");
    this.child = spawn(node, [join(import.meta.dirname, "app.ts")], {
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        TMPDIR: folder,
        LB_CONTROL_DIR: join(folder, "control"),
        CHAOS_JOURNAL: journal,
        CHAOS_OPTIONS: JSON.stringify({ ...settings, ...edgeOptions(edge), mode }),
      },
      stdio: ["ignore", output, output, "ipc"],
      detached: true,
    });
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code) => {
        this.ended = true;
        for (const [id, answer] of this.#answers) answer({ kind: "done", id, error: "the primary ended" });
        resolve(code);
      });
    });
    this.up = new Promise((resolve, reject) => {
      void this.exited.then((code) => reject(new Error(`The cluster did not start: exit code ${code}, see ${folder}`)));
      this.child.on("message", (told: Told) => {
        switch (told.kind) {
          case "up":
            return resolve(told);
          case "exit":
          case "ready":
            return happened(told);
          case "fault":
            return failed(told.what);
          case "done":
            this.#answers.get(told.id)?.(told);
            this.#answers.delete(told.id);
        }
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Calls a method of the primary's. */
  async call(operation: string, argument?: unknown): Promise<unknown> {
    if (this.ended || !this.child.connected) throw new Error("the primary ended");
    const id = ++this.#asked;
    const told = await new Promise<Extract<Told, { kind: "done" }>>((resolve) => {
      this.#answers.set(id, resolve);
      this.child.send({ id, operation, argument });
    });
    if (told.error !== undefined) throw new Error(told.error);
    return told.result;
  }

  async status(): Promise<ClusterStatus> {
    return (await this.call("status")) as ClusterStatus;
  }

  get openDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  async heapMb(): Promise<number> {
    return (await this.call("heap")) as number;
  }
}
