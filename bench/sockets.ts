// pnpm bench sockets [--smoke] [--json] [--messages 20000] [--rounds 3] [--only ipc,redis]
//
// Events a second that one instance sends and all clients of two instances have got: to everybody, and to rooms of one.
// Against the Socket.IO adapters for the same job; Redis has to be on the PATH, or in REDIS_URL.
//
// pnpm bench sockets --hold 30000 [--mode handoff] [--seconds 120] [--processes 4]
//
// Holds so many clients over four instances, and counts who is left and who hears a broadcast; see sockets-hold.ts.
import { parseArgs } from "node:util";
import { localRedis } from "./local-redis.ts";
import { ClientProcess, type Servers, startServers } from "./socket-processes.ts";
import { hold } from "./sockets-hold.ts";

const { values: flags } = parseArgs({
  options: {
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    messages: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    hold: { type: "string" },
    mode: { type: "string", default: "handoff" },
    seconds: { type: "string", default: "120" },
    processes: { type: "string", default: "4" },
  },
});

const instances = 2;
const clientsPerInstance = 2;
const clientsPerRun = instances * clientsPerInstance;
const text = "x".repeat(100);

interface Row {
  readonly case: string;
  readonly candidate: string;
  readonly eventsPerSecond: number;
}

/** As many clients at one instance as at the other; the first one has its instance send. */
async function measure(name: string, servers: Servers, messages: number, rounds: number): Promise<Row[]> {
  const clients = new ClientProcess();
  try {
    await clients.ask({ do: "open", url: servers.url, count: 10 * clientsPerRun, from: ["127.0.0.1"] });
    const { open } = await clients.ask({ do: "settle", perServer: clientsPerInstance });
    if (open !== clientsPerRun) throw new Error(`${name}: the instances do not share the clients`);
    const rooms = Array.from({ length: clientsPerRun }, (_, index) => `room-${index}`);
    const cases = [
      { case: "broadcast", rooms: [], events: messages * clientsPerRun },
      { case: "rooms", rooms, events: messages },
    ];
    const rows: Row[] = [];
    for (const { case: name_, rooms: to, events } of cases) {
      const rates: number[] = [];
      // The first is to get warm.
      for (let round = 0; round <= rounds; round++) {
        const { seconds } = await clients.ask({ do: "expect", emit: ["flood", to, messages, text], events });
        if (round > 0) rates.push(messages / seconds);
      }
      rates.sort((a, b) => a - b);
      rows.push({ case: name_, candidate: name, eventsPerSecond: rates[rates.length >> 1]! });
    }
    return rows;
  } finally {
    await clients.stop();
  }
}

async function compareAdapters(): Promise<void> {
  const messages = flags.smoke ? 2_000 : Number(flags.messages);
  const rounds = flags.smoke ? 1 : Number(flags.rounds);
  const redis = await localRedis();
  const lb = (socket: object) => ({ CLUSTER: JSON.stringify({ mode: "handoff" }), SOCKET: JSON.stringify(socket) });
  const candidates = [
    { name: "ipc", script: "sockets-lb", env: lb({}) },
    { name: "cluster-adapter", script: "sockets-cluster-adapter", env: {} },
    { name: "redis", script: "sockets-lb", env: lb({ redis: redis.url }) },
    { name: "redis-sharded", script: "sockets-lb", env: lb({ redis: redis.url, sharded: true }) },
    { name: "redis-streams", script: "sockets-lb", env: lb({ redis: redis.url, streams: true }) },
  ].filter(({ name }) => flags.only?.split(",").includes(name) ?? true);
  const rows: Row[] = [];
  try {
    for (const { name, script, env } of candidates) {
      const servers = await startServers(script, env);
      try {
        rows.push(...(await measure(name, servers, messages, rounds)));
      } finally {
        await servers.stop();
      }
    }
  } finally {
    await redis.stop();
  }
  if (flags.json) {
    console.log(JSON.stringify(rows, undefined, 2));
    return;
  }
  for (const title of ["broadcast", "rooms"]) {
    const those = rows.filter((row) => row.case === title);
    const ours = those.find(({ candidate }) => candidate === "ipc")?.eventsPerSecond ?? Number.NaN;
    console.log(`### ${title}\n\n| adapter | events/s | ipc is × |\n|---|---|---|`);
    for (const { candidate, eventsPerSecond } of those) {
      console.log(`| ${candidate} | ${Math.round(eventsPerSecond)} | ${(ours / eventsPerSecond).toFixed(2)} |`);
    }
    console.log();
  }
}

if (flags.hold === undefined) await compareAdapters();
else {
  const report = await hold({
    clients: Number(flags.hold),
    mode: flags.mode === "proxy" ? "proxy" : "handoff",
    seconds: Number(flags.seconds),
    processes: Number(flags.processes),
  });
  console.log(JSON.stringify(report, undefined, 2));
  if (report.lost > 0 || report.refused > 0 || report.heard < report.connected) process.exitCode = 1;
}
