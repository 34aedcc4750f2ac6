import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../packages/core/src/model/random.ts";
import type { ClusterProcess } from "./cluster-process.ts";
import type { Ledger } from "./ledger.ts";
import { ask } from "./request.ts";

export interface Surroundings {
  readonly cluster: ClusterProcess;
  readonly ledger: Ledger;
  readonly port: number;
  readonly random: Random;
}

type Fault = (surroundings: Surroundings) => Promise<unknown>;

/** Both may be no process by now. */
function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

const below = (random: Random, end: number) => Math.floor(random() * end);

async function anInstance({ cluster, random }: Surroundings) {
  const { instances } = await cluster.status();
  const running = instances.filter(({ pid, state }) => pid !== null && state !== "starting");
  return running[below(random, running.length)];
}

const signalled =
  (name: NodeJS.Signals): Fault =>
  async (surroundings) =>
    signal((await anInstance(surroundings))?.pid ?? undefined, name);

const poison =
  (method: string, how: string): Fault =>
  ({ ledger, port }) =>
    ask(ledger, port, { kind: "poison", method, path: `/poison?how=${how}`, expected: () => "" });

/** Bytes that no parser takes: alone, behind a good request, in the middle of a body. */
const garbage: readonly string[] = [
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "GET /work?id=none HTTP/1.1\r\nHost: x\r\n\r\n\0\0\0 garbage \r\n\r\n",
  "POST /work?id=none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "GET /work?id=none HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
  "POST /work?id=none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
];

/** What goes through `cluster.call` takes turns with other operations there, so it may take long and may be refused. */
export const faults: Readonly<Record<string, Fault>> = {
  kill: signalled("SIGKILL"),
  term: signalled("SIGTERM"),
  stop: async (surroundings) => {
    const victim = (await anInstance(surroundings))?.pid ?? undefined;
    signal(victim, "SIGSTOP");
    await pause(200 + below(surroundings.random, 2_500));
    signal(victim, "SIGCONT");
  },
  crash: ({ ledger, port }) =>
    ask(ledger, port, { kind: "poison", method: "POST", path: "/crash", expected: (id) => id }),
  block: ({ ledger, port, random }) =>
    ask(ledger, port, {
      kind: "poison",
      method: "POST",
      path: `/block?ms=${100 + below(random, 2_000)}`,
      expected: (id) => id,
    }),
  "poison-get": poison("GET", "exit"),
  "poison-post": poison("POST", "throw"),
  garbage: async ({ port, random }) => {
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      socket.resume().end(Buffer.from(garbage[below(random, garbage.length)]!, "latin1"));
      socket.setTimeout(5_000, () => socket.destroy());
      await pause(5);
    }
  },
  reload: ({ cluster }) => cluster.call("reload", { watchMs: 200 }),
  "hup-storm": async ({ cluster }) => {
    for (let n = 0; n < 5; n += 1) {
      signal(cluster.pid, "SIGHUP");
      await pause(20);
    }
  },
  scale: ({ cluster, random }) => cluster.call("scale", 3 + below(random, 3)),
  drain: async ({ cluster, random }) => {
    const id = 1 + below(random, 3);
    await cluster.call("drain", id);
    await pause(500);
    await cluster.call("resume", id);
  },
  restart: ({ cluster, random }) => cluster.call("restart", 1 + below(random, 3)),
};
