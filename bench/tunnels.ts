// pnpm bench tunnels [--smoke] [--json] [--tunnels 15000] [--chatting 500] [--seconds 5] [--rounds 3]
//
// Memory of the front for each WebSocket tunnel it holds open, and messages relayed (echoed by the app) while it does.
import { type ChildProcess, fork } from "node:child_process";
import { parseArgs } from "node:util";
import { type Running, tunnelCandidates } from "./candidates.ts";
import { cpuMicroseconds, residentBytes } from "./cpu.ts";

const { values: flags } = parseArgs({
  options: {
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    tunnels: { type: "string", default: "15000" },
    chatting: { type: "string", default: "500" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
  },
});
const tunnels = flags.smoke ? 200 : Number(flags.tunnels);
const chatting = flags.smoke ? 50 : Number(flags.chatting);
const seconds = flags.smoke ? 1 : Number(flags.seconds);
const rounds = flags.smoke ? 1 : Number(flags.rounds);
/** A client process holds one descriptor a tunnel, http-proxy-3 two. */
const perClient = 8_000;

type Answer = { open?: number; messages?: number; seconds?: number; closed?: number; failed?: string };

function ask(client: ChildProcess, message: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.once("message", (answer: Answer) => {
      if (answer.failed === undefined) resolve(answer);
      else reject(new Error(answer.failed));
    });
    client.send(message);
  });
}

interface Row {
  readonly candidate: string;
  readonly tunnels: number;
  readonly frontBytesPerTunnel: number;
  readonly messagesPerSecond: number;
  readonly cpuMicrosecondsPerMessage: number;
  readonly lost: number;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, flags.smoke ? 100 : 3_000));

async function measure(name: string, running: Running, count: number): Promise<Row> {
  const clients: ChildProcess[] = [];
  try {
    const port = Number(new URL(running.url).port);
    const before = residentBytes([running.frontPid]);
    for (let opened = 0; opened < count; opened += perClient) {
      const client = fork(new URL("./tunnel-client.ts", import.meta.url));
      clients.push(client);
      const from = Array.from({ length: 4 }, (_, index) => `127.0.1.${clients.length * 4 + index}`);
      await ask(client, { do: "open", port, count: Math.min(perClient, count - opened), from });
    }
    await settled();
    const held = residentBytes([running.frontPid]) - before;
    const rates: number[] = [];
    const costs: number[] = [];
    let lost = 0;
    for (let round = 0; round < rounds; round++) {
      const cpu = cpuMicroseconds(running.pids);
      const answer = await ask(clients[0]!, { do: "chat", clients: chatting, seconds });
      rates.push(answer.messages! / answer.seconds!);
      costs.push((cpuMicroseconds(running.pids) - cpu) / answer.messages!);
      lost = Math.max(lost, answer.closed!);
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]!;
    return {
      candidate: name,
      tunnels: count,
      frontBytesPerTunnel: held / count,
      messagesPerSecond: median(rates),
      cpuMicrosecondsPerMessage: median(costs),
      lost,
    };
  } finally {
    for (const client of clients) client.kill();
  }
}

const rows: Row[] = [];
for (const candidate of tunnelCandidates()) {
  const running = await candidate.start();
  try {
    // A tunnel through http-proxy-3 takes two descriptors of the 20,000 a process may have here.
    rows.push(await measure(candidate.name, running, candidate.name === "lb" ? tunnels : Math.min(tunnels, 9_000)));
  } finally {
    await running.stop();
  }
}
if (flags.json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const ours = rows[0]!.messagesPerSecond;
  console.log(
    "| candidate | tunnels | front bytes/tunnel | messages/s | lb is × | CPU µs/message | lost |\n|---|---|---|---|---|---|---|",
  );
  for (const row of rows) {
    console.log(
      `| ${row.candidate} | ${row.tunnels} | ${Math.round(row.frontBytesPerTunnel)} | ${Math.round(row.messagesPerSecond)} | ${(ours / row.messagesPerSecond).toFixed(2)} | ${row.cpuMicrosecondsPerMessage.toFixed(1)} | ${row.lost} |`,
    );
  }
}
if (
  rows.some(({ candidate, lost, messagesPerSecond }) => candidate === "lb" && (lost > 0 || !(messagesPerSecond > 0)))
) {
  process.exitCode = 1;
}
