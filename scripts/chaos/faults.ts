import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Random } from "../../packages/core/src/model/random.ts";
import type { ClusterProcess } from "./cluster-process.ts";
import type { Kind } from "./entry.ts";
import { now } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Place } from "./place.ts";
import { ask } from "./request.ts";

export interface Surroundings {
  readonly cluster: ClusterProcess;
  readonly ledger: Ledger;
  readonly place: Place;
  readonly random: Random;
}

type Fault = (surroundings: Surroundings) => Promise<unknown>;

const below = (random: Random, end: number) => Math.floor(random() * end);

/** Undefined: it has ended by itself, or there is none. */
function signal({ ledger }: Surroundings, pid: number | undefined, name: "SIGKILL" | "SIGTERM"): void {
  if (pid === undefined) return;
  ledger.happened({ kind: "signal", pid, at: now(), signal: name });
  send(pid, name);
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

async function anInstance({ cluster, random }: Surroundings): Promise<number | undefined> {
  const choice = random();
  const { instances } = await cluster.status();
  const running = instances.flatMap(({ pid, state }) => (pid !== null && state !== "starting" ? pid : []));
  return running[Math.floor(choice * running.length)];
}

async function stopFor(surroundings: Surroundings, ms: number): Promise<number | undefined> {
  const pid = await anInstance(surroundings);
  if (pid === undefined) return undefined;
  const at = now();
  surroundings.ledger.note(`SIGSTOP ${pid}`);
  send(pid, "SIGSTOP");
  await pause(ms);
  surroundings.ledger.happened({ kind: "idle", pid, at, until: now() });
  return pid;
}

const poison =
  (kind: Kind, method: string, path: string): Fault =>
  ({ ledger, place }) =>
    ask(ledger, place, { kind, method, path, expected: (id) => id });

/** Bytes that no parser takes: alone, behind a good request, in the middle of a body. */
const garbage: readonly string[] = [
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "GET /work?id=none HTTP/1.1\r\nHost: x\r\n\r\n\0\0\0 garbage \r\n\r\n",
  "POST /work?id=none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "GET /work?id=none HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
  "POST /work?id=none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
];

/** One connection that says this and nothing else; it is to be closed by the other side, whatever is thought of it. */
function spoil(text: string, { place, ledger }: Surroundings): Promise<void> {
  const withinMs = 15_000;
  return new Promise((resolve) => {
    const { port, secure } = place;
    const to = { port, host: "127.0.0.1", rejectUnauthorized: false };
    const socket = (secure ? connectTls(to) : connect(to)).on("error", () => {});
    const open = setTimeout(() => {
      ledger.violated(`a connection with ${JSON.stringify(text)} was open after ${withinMs} ms`);
      socket.destroy();
    }, withinMs);
    socket.on("close", () => {
      clearTimeout(open);
      resolve();
    });
    socket.resume().end(Buffer.from(text, "latin1"));
  });
}

/** What goes through `cluster.call` takes turns with other operations there, so it may take long and may be refused. */
export const faults = {
  kill: async (surroundings) => signal(surroundings, await anInstance(surroundings), "SIGKILL"),
  term: async (surroundings) => signal(surroundings, await anInstance(surroundings), "SIGTERM"),
  "term-twice": async (surroundings) => {
    const pid = await anInstance(surroundings);
    signal(surroundings, pid, "SIGTERM");
    await pause(50 + below(surroundings.random, 500));
    signal(surroundings, pid, "SIGTERM");
  },
  stop: async (surroundings) => {
    const pid = await stopFor(surroundings, 200 + below(surroundings.random, 2_500));
    if (pid !== undefined) send(pid, "SIGCONT");
  },
  "stop-kill": async (surroundings) => {
    signal(surroundings, await stopFor(surroundings, 50 + below(surroundings.random, 1_000)), "SIGKILL");
  },
  crash: poison("crash", "POST", "/crash"),
  block: async ({ ledger, place, random }) => {
    const ms = 100 + below(random, 2_000);
    const asked = { kind: "block", method: "POST", path: `/block?ms=${ms}`, expected: (id: string) => id } as const;
    const { from, to, answeredBy } = await ask(ledger, place, asked);
    if (answeredBy !== undefined) ledger.happened({ kind: "idle", pid: answeredBy, at: from, until: to + ms });
    await pause(ms);
  },
  "poison-get": poison("poison get", "GET", "/poison?how=exit"),
  "poison-post": poison("poison post", "POST", "/poison?how=throw"),
  garbage: async (surroundings) => {
    const under: Promise<void>[] = [];
    for (let n = 0; n < 20; n += 1) {
      under.push(spoil(garbage[below(surroundings.random, garbage.length)]!, surroundings));
      await pause(5);
    }
    await Promise.all(under);
  },
  reload: ({ cluster }) => cluster.call("reload", { watchMs: 200 }),
  "hup-storm": async ({ cluster }) => {
    for (let n = 0; n < 5; n += 1) {
      send(cluster.pid, "SIGHUP");
      await pause(20);
    }
  },
  scale: ({ cluster, random }) => cluster.call("scale", 3 + below(random, 3)),
  drain: async ({ cluster, random }) => {
    const id = 1 + below(random, 3);
    // Those who have a session there may stay as long as they like, so it need not come to its end.
    await Promise.race([cluster.call("drain", id), pause(5_000)]);
    await pause(500);
    await cluster.call("resume", id);
  },
  restart: ({ cluster, random }) => cluster.call("restart", 1 + below(random, 3)),
} satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;
