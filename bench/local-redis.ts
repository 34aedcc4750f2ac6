import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { freePorts } from "../packages/core/test/support/free-ports.ts";

/** The Redis in REDIS_URL, else one of our own that keeps nothing on disk. */
export async function localRedis(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = process.env["REDIS_URL"];
  if (url !== undefined) return { url, stop: async () => {} };
  const port = await freePorts(1);
  const child = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
    stdio: "ignore",
  });
  const failed = once(child, "error").then(([error]) => {
    throw new Error(`The benchmark needs redis-server on the PATH, or REDIS_URL: ${error}`);
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  while (!(await Promise.race([accepts(port), failed]))) await after(20);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
