import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Answer, ask, askAll } from "./answers.ts";
import type { Ask, Reached } from "./app.ts";
import type { NamedApp } from "./installation.ts";
import { node, Spawned } from "./spawned.ts";

const startTimeoutMs = 60_000;

/** What a program does when it is started by itself. */
export interface Recording {
  readonly answers: readonly Answer[];
  readonly conversation: unknown;
  /** The status of what the load is to ask for. */
  readonly loadStatus: number;
}

/** Starts the program as `node` does, records what it says, and ends it. */
export async function recordPlain(
  app: NamedApp,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<Recording> {
  const args = app.args?.map((arg) => arg.replaceAll("{port}", String(port))) ?? [];
  const command = [node, app.entry, ...args];
  const program = new Spawned(command, { cwd: app.folder, env: programEnvironment(app, port, env) });
  try {
    await listening(program, port);
    const base = `${app.plainScheme ?? "http"}://127.0.0.1:${port}`;
    await answering(base, app);
    const answers = await askAll(base, app);
    const conversation = await app.probe?.(reached(app, base));
    const { status: loadStatus } = await ask(base, loadRequest(app));
    return { answers, conversation, loadStatus };
  } catch (error) {
    throw new Error(`by itself: ${(error as Error).message}; ${program.lastLines(6)}`);
  } finally {
    program.signal("SIGTERM");
    await program.exitWithin(3_000);
    await program.sweep(0);
  }
}

export function programEnvironment(
  app: NamedApp,
  port: number,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PORT: String(port),
    NODE_ENV: "production",
    ...(app.nodeOptions === undefined ? {} : { NODE_OPTIONS: app.nodeOptions }),
    ...app.env,
    ...env,
  };
}

/** What steady load asks for. */
export function loadRequest({ loadPath, requests }: NamedApp): Ask {
  return loadPath === undefined ? requests[0]! : { path: loadPath };
}

export function reached(app: NamedApp, base: string): Reached {
  const from = createRequire(join(app.folder, "package.json"));
  return {
    url: base,
    port: Number(new URL(base).port),
    load: async (name) => (await import(pathToFileURL(from.resolve(name)).href)) as Record<string, unknown>,
    ask: (request) => ask(base, request),
  };
}

async function listening(program: Spawned, port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    if (program.exit !== undefined) throw new Error(`it ended with ${program.exit}`);
    if (performance.now() > deadline) throw new Error(`nothing listens on ${port} after ${startTimeoutMs / 1_000} s`);
    await after(50);
  }
}

/** Waits until the program can answer what it is there for, if that is later than it listens. */
export async function answering(base: string, { readyPath }: NamedApp): Promise<void> {
  if (readyPath === undefined) return;
  const deadline = performance.now() + startTimeoutMs;
  while ((await ask(base, { path: readyPath })).status !== 200) {
    if (performance.now() > deadline) throw new Error(`${readyPath} is not answered with 200`);
    await after(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
