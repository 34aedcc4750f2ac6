import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../../core/test/support/free-ports.ts";

/** A Redis of the test's own, which it may stop, start again, freeze and lock. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
  }

  /** On a free port, running. */
  static async start(): Promise<RedisServer> {
    const server = await RedisServer.stopped();
    await server.start();
    return server;
  }

  /** A port on which nothing listens yet. */
  static async stopped(): Promise<RedisServer> {
    return new RedisServer(await freePorts(1), await mkdtemp(join(tmpdir(), "lb-test-redis-")));
  }

  async start(args: readonly string[] = []): Promise<void> {
    const options = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--dir", this.#folder, ...args];
    let output = "";
    for (const command of ["redis-server", "valkey-server"]) {
      const child = spawn(command, options, { stdio: ["ignore", "pipe", "pipe"] });
      const gone = new Promise<"gone">((resolve) => {
        child.once("error", () => resolve("gone"));
        child.once("exit", () => resolve("gone"));
      });
      child.stdout.on("data", (bytes) => {
        output += bytes;
      });
      for (;;) {
        const outcome = await Promise.race([gone, answersOn(this.port)]);
        if (outcome === "gone") break;
        if (outcome) {
          this.#child = child;
          return;
        }
      }
    }
    throw new Error(`No Redis: node scripts/prepare-tests.ts installs one.\n${output}`);
  }

  /** Without a good-bye, as in a crash; what it held is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await exited;
  }

  /** It holds its connections and answers nothing any more. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The Redis that suites share: the one in REDIS_URL, else one of their own. */
export async function sharedRedis(): Promise<{ url: string; dispose(): Promise<void> }> {
  const url = process.env["REDIS_URL"];
  return url === undefined || url === "" ? RedisServer.start() : { url, dispose: async () => {} };
}

function answersOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const answer = (answers: boolean) => {
      socket.destroy();
      setTimeout(() => resolve(answers), answers ? 0 : 10);
    };
    // One that asks for a password first is there too.
    socket.once("data", () => answer(true));
    socket.once("error", () => answer(false));
  });
}
