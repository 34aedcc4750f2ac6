import { type ChildProcess, fork } from "node:child_process";

/** What a process of clients answers; which of it depends on what it was asked. */
export interface ClientAnswer {
  readonly open: number;
  readonly refused: number;
  readonly lost: number;
  readonly events: number;
  readonly seconds: number;
}

export interface Servers {
  readonly url: string;
  readonly frontPid: number;
  readonly workerPids: readonly number[];
  stop(): Promise<void>;
}

/** A script of `candidates/`, which tells over its channel where it listens. */
export async function startServers(script: string, env: Readonly<Record<string, string>>): Promise<Servers> {
  const child = fork(new URL(`./candidates/${script}.ts`, import.meta.url), {
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  const { url, pids } = await answer<{ url: string; pids: readonly number[] }>(child);
  return { url, frontPid: child.pid!, workerPids: pids, stop: () => ended(child) };
}

/** A process of Socket.IO clients; see socket-client.ts. */
export class ClientProcess {
  readonly #child = fork(new URL("./socket-client.ts", import.meta.url), { stdio: "inherit" });

  ask(order: object): Promise<ClientAnswer> {
    const answered = answer<ClientAnswer>(this.#child);
    this.#child.send(order);
    return answered;
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null) => reject(new Error(`${child.spawnargs[1]} exited with ${code}`));
    child.once("exit", exited);
    child.once("message", (message) => {
      child.off("exit", exited);
      resolve(message as T);
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const killed = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await exited;
  clearTimeout(killed);
}
