// The built command against a cluster of ours: distribution over instances, thresholds, exit codes.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePorts } from "../../core/test/support/free-ports.ts";
import type { LoadReport } from "../src/index.ts";

const lb = join(import.meta.dirname, "../../core/dist/cli.js");
const here = join(import.meta.dirname, "fixtures");
const folder = mkdtempSync(join(tmpdir(), "lb-load-"));
const env = { PATH: process.env["PATH"], HOME: folder, LB_CONTROL_DIR: join(folder, "control") };

let url: string;
let end: () => Promise<unknown>;

beforeAll(async () => {
  const port = await freePorts(3);
  url = `http://127.0.0.1:${port}`;
  const flags = ["-i", "2", "-p", String(port), "--strategy", "round-robin", "--backend-header", "--admin", "off"];
  const cluster = spawn(process.execPath, [lb, "start", join(here, "app.cjs"), ...flags], { env });
  const exited = new Promise((resolve) => cluster.once("exit", resolve));
  end = () => {
    cluster.kill("SIGTERM");
    return exited;
  };
  let said = "";
  await new Promise<void>((resolve, reject) => {
    cluster.stderr.on("data", (text) => {
      said += text;
      if (/listens on/.test(said)) resolve();
    });
    void exited.then(() => reject(new Error(said)));
  });
});

afterAll(async () => {
  await end();
  rmSync(folder, { recursive: true, force: true });
});

function bench(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [lb, "bench", ...args], { cwd: here, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("a report by instance, with a scenario of a file, and exit code 0 where all thresholds hold", async () => {
  const { code, stdout, stderr } = await bench(
    url,
    "--vus",
    "4",
    "--duration",
    "1s",
    "--scenario",
    "checkout.mjs",
    "--errors",
    "0",
    "--json",
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as LoadReport;
  expect(Object.keys(report.instances)).toHaveLength(2);
  const counts = Object.values(report.instances);
  expect(Math.min(...counts) / Math.max(...counts)).toBeGreaterThan(0.8);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(report.all.count);
  expect(report.checks).toEqual({ "it says who answers": { passed: report.all.count, failed: 0 } });
});

test("1 where one is crossed or nobody answers, with a report for people; 2 for what cannot be understood", async () => {
  const [crossed, nobody] = await Promise.all([
    bench(url, "--stages", "300ms:2,200ms:4", "--p95", "0.001ms", "--min-rps", "1"),
    bench("http://127.0.0.1:1", "--duration", "100ms"),
  ]);
  expect(crossed.code).toBe(1);
  expect(crossed.stdout).toMatch(/answered by[\s\S]*[45]\d\.\d %[\s\S]*p95 .*CROSSED\nrate .*holds/);
  expect(crossed.stderr).toContain("Crossed: p95.");
  expect(nobody).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("ECONNREFUSED"),
    stderr: expect.stringContaining("Nobody answered"),
  });
  const wrong = await Promise.all([
    bench("localhost:3000"),
    bench(url, "--vus", "0"),
    bench(url, "--scenario", "missing.mjs"),
    bench(url, "--stages", "10"),
    bench(url, "--errors", "3"),
  ]);
  expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
});
