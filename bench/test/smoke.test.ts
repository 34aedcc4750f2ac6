// Benchmarks are measurements and gate nothing; that they run, and that all candidates answer rightly, is tested.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../run.ts", import.meta.url));

async function smoke(name: string): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await run(process.execPath, [script, name, "--smoke", "--json"], { timeout: 120_000 });
  return JSON.parse(stdout) as Record<string, unknown>[];
}

test("bench proxy runs, and no candidate answers with errors", { timeout: 130_000 }, async () => {
  const rows = await smoke("proxy");
  expect(rows.map(({ candidate }) => candidate)).toEqual(
    expect.arrayContaining(["lb", "http-proxy-3", "http-proxy-middleware", "fastify-http-proxy"]),
  );
  for (const row of rows) {
    expect(row["errors"], String(row["candidate"])).toBe(0);
    expect(row["requestsPerSecond"], String(row["candidate"])).toBeGreaterThan(0);
  }
});

test("bench tls runs, and ours answers without an error", { timeout: 130_000 }, async () => {
  const [ours] = await smoke("tls");
  expect(ours).toMatchObject({ candidate: "lb", errors: 0 });
  expect(ours!["requestsPerSecond"]).toBeGreaterThan(0);
});

test("bench handoff runs, and ours answers without an error", { timeout: 130_000 }, async () => {
  const rows = await smoke("handoff");
  expect(rows.map(({ candidate }) => candidate)).toEqual(expect.arrayContaining(["lb", "cluster", "sticky"]));
  for (const row of rows) {
    if (row["candidate"] === "lb") expect(row["errors"]).toBe(0);
    expect(row["requestsPerSecond"], String(row["candidate"])).toBeGreaterThan(0);
  }
});

test("three times as much as an app can do: with a limit by latency it does it, and without nothing is of use", {
  timeout: 60_000,
}, async () => {
  const rows = await smoke("overload");
  const ofPeak = Object.fromEntries(rows.map(({ limit, ofPeak }) => [limit, ofPeak]));
  expect(ofPeak["none"]).toBeLessThan(0.2);
  // Four seconds of measuring, of which a busy machine may take a good part: of both.
  expect(ofPeak["adaptive"]).toBeGreaterThan(0.4);
  expect(Number(ofPeak["adaptive"])).toBeGreaterThan(4 * Number(ofPeak["none"]));
});

test("bench express runs, and no candidate answers with errors", { timeout: 130_000 }, async () => {
  const rows = await smoke("express");
  expect(rows.map(({ candidate }) => candidate)).toEqual(["lb", "http-proxy-middleware", "lb", "fastify-http-proxy"]);
  for (const row of rows) {
    expect(row["errors"], String(row["candidate"])).toBe(0);
    expect(row["requestsPerSecond"], String(row["candidate"])).toBeGreaterThan(0);
  }
});

test("bench files runs, and no candidate answers with errors", { timeout: 130_000 }, async () => {
  const rows = await smoke("files");
  expect(rows.map(({ candidate }) => candidate)).toEqual(
    expect.arrayContaining(["lb", "express.static behind lb", "@fastify/static behind lb"]),
  );
  for (const row of rows) {
    expect(row["errors"], String(row["candidate"])).toBe(0);
    expect(row["requestsPerSecond"], String(row["candidate"])).toBeGreaterThan(0);
  }
});

test("bench tunnels runs, and no tunnel is lost", { timeout: 130_000 }, async () => {
  const rows = await smoke("tunnels");
  expect(rows.map(({ candidate }) => candidate)).toEqual(["lb", "http-proxy-3"]);
  for (const row of rows) {
    expect(row["lost"]).toBe(0);
    expect(row["messagesPerSecond"]).toBeGreaterThan(0);
  }
});

test("bench sockets runs, and every adapter brings all events", { timeout: 130_000 }, async () => {
  const rows = await smoke("sockets");
  expect(rows.map((row) => `${row["case"]} ${row["candidate"]}`)).toEqual(
    ["ipc", "cluster-adapter", "redis", "redis-sharded", "redis-streams"].flatMap((candidate) => [
      `broadcast ${candidate}`,
      `rooms ${candidate}`,
    ]),
  );
  for (const row of rows) expect(row["eventsPerSecond"], String(row["candidate"])).toBeGreaterThan(0);
});

test("bench sockets --hold loses nobody, and everybody hears", { timeout: 130_000 }, async () => {
  const { stdout } = await run(process.execPath, [
    script,
    "sockets",
    "--hold",
    "200",
    "--seconds",
    "1",
    "--processes",
    "2",
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ connected: 200, refused: 0, lost: 0, heard: 200 });
});

test("bench turns runs, and tells what an option costs", { timeout: 60_000 }, async () => {
  const { stdout } = await run(process.execPath, [
    script,
    "turns",
    "--smoke",
    "--json",
    "--with",
    '{"quarantine":false}',
  ]);
  const rows = JSON.parse(stdout) as { readonly name: string; readonly ratio: number }[];
  expect(rows.map(({ name }) => name)).toEqual(["this", 'with {"quarantine":false}']);
  for (const { ratio } of rows) expect(ratio).toBeGreaterThan(0.1);
});
