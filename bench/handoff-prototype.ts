// node bench/handoff-prototype.ts [--seconds 2] [--rounds 5] [--cases kept,close]
//
// Bare node:cluster beside the hand-off on its own, before it is a mode of cluster(): the same app in two workers each,
// taking turns. What counts are the ratios, and the CPU per request, which a machine shared with others distorts less.
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../packages/core/src/model/clock.ts";
import { HandoffIntake } from "../packages/core/src/worker/handoff-intake.ts";
import { HandoffFront } from "../packages/core/test/support/handoff-front.ts";
import { createApp } from "./app.ts";
import { cpuMicroseconds } from "./cpu.ts";
import { generator, load } from "./load.ts";

const workers = 2;
const self = fileURLToPath(import.meta.url);
const role = process.env["HANDOFF_ROLE"] ?? "driver";

/** What a candidate's first process tells when it serves. */
interface Ready {
  readonly port: number;
  readonly pids: readonly number[];
}

switch (role) {
  case "cluster":
    await runCluster();
    break;
  case "handoff":
    await runHandoff();
    break;
  case "handoff-worker":
    runHandoffWorker();
    break;
  default:
    await drive();
}

async function runCluster(): Promise<void> {
  if (!cluster.isPrimary) {
    createApp().listen(0, "127.0.0.1", 4_096);
    return;
  }
  const pids: number[] = [process.pid];
  let port = 0;
  for (let n = 0; n < workers; n++) {
    const worker = cluster.fork();
    const [address] = (await once(worker, "listening")) as [{ readonly port: number }];
    port = address.port;
    pids.push(worker.process.pid!);
  }
  process.on("disconnect", () => process.exit());
  process.send!({ port, pids } satisfies Ready);
}

async function runHandoff(): Promise<void> {
  const front = new HandoffFront({ workers, program: self, env: { HANDOFF_ROLE: "handoff-worker" } });
  const port = await front.start();
  process.on("disconnect", () => void front.close().then(() => process.exit()));
  process.send!({ port, pids: [process.pid, ...front.workers.map(({ child }) => child.pid!)] } satisfies Ready);
}

function runHandoffWorker(): void {
  const intake = new HandoffIntake({ server: createApp(), channel: process, clock: systemClock });
  process.on("message", (raw, handle) => {
    intake.receive(raw, handle);
  });
  process.on("disconnect", () => process.exit());
  process.send!("ready");
}

async function drive(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "5" },
      cases: { type: "string", default: "kept,close" },
      node: { type: "string", default: process.execPath },
    },
  });
  const candidates = await Promise.all(
    ["cluster", "handoff"].map(async (name) => {
      const child = fork(self, [], { execPath: values.node, env: { ...process.env, HANDOFF_ROLE: name } });
      const [ready] = (await once(child, "message")) as [Ready];
      return { name, child, ...ready };
    }),
  );
  console.log(`${generator}, 64 connections, 55-byte responses, ${workers} workers each, ${values.rounds} rounds`);
  for (const kind of values.cases.split(",")) {
    const headers: Record<string, string> = kind === "close" ? { Connection: "close" } : {};
    const rows = candidates.map(({ name }) => ({ name, rates: [] as number[], cpu: [] as number[], errors: 0 }));
    const run = async (index: number, seconds: number) => {
      const { port, pids } = candidates[index]!;
      const before = cpuMicroseconds(pids);
      const result = await load({ url: `http://127.0.0.1:${port}/55`, connections: 64, seconds, headers });
      return { ...result, cpu: (cpuMicroseconds(pids) - before) / result.requests };
    };
    for (const index of candidates.keys()) await run(index, 1);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const turn of candidates.keys()) {
        // Each goes first every other round.
        const index = (turn + round) % candidates.length;
        const { requestsPerSecond, cpu, errors } = await run(index, Number(values.seconds));
        rows[index]!.rates.push(requestsPerSecond);
        rows[index]!.cpu.push(cpu);
        rows[index]!.errors += errors;
      }
    }
    const [bare] = rows as [(typeof rows)[number]];
    for (const { name, rates, cpu, errors } of rows) {
      const ratio = median(rates.map((rate, round) => rate / bare.rates[round]!));
      const cpuRatio = median(cpu.map((used, round) => used / bare.cpu[round]!));
      console.log(
        `${kind.padEnd(6)}${name.padEnd(9)}${median(rates).toFixed(0).padStart(8)} req/s  × ${ratio.toFixed(3)}` +
          `   ${median(cpu).toFixed(1).padStart(7)} µs CPU/req  × ${cpuRatio.toFixed(3)}   errors ${errors}`,
      );
    }
  }
  for (const { child } of candidates) child.disconnect();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
