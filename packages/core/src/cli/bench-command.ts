import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { optionalPackage } from "../cluster/optional-package.ts";
import { CliError } from "./cli-error.ts";
import { milliseconds, wholeNumber } from "./flag-values.ts";
import { ProgressLine } from "./progress-line.ts";
import { say } from "./say.ts";

/** What of `@lb/load` is used. */
interface LoadPackage {
  loadTest(options: object): Promise<LoadReport>;
  reportText(report: LoadReport): string;
}

interface LoadReport {
  readonly passed: boolean;
  readonly verdicts: readonly { readonly threshold: string; readonly holds: boolean }[];
}

interface Progress {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly users: number;
  readonly count: number;
  readonly failed: number;
  readonly p95Ms: number | null;
}

interface Flags {
  readonly vus: number;
  readonly duration: number;
  readonly stages?: readonly { readonly durationMs: number; readonly users: number }[];
  readonly rps?: number;
  readonly scenario?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly insecure?: boolean;
  readonly p95?: number;
  readonly p99?: number;
  readonly errors?: number;
  readonly minRps?: number;
  readonly json?: boolean;
}

const examples = `
Examples:
  lb bench http://localhost:3000 --vus 200 --duration 30s
  lb bench http://localhost:3000 --stages 10s:50,30s:200,5s:0 --p95 150 --errors 0.01
  lb bench http://localhost:3000 --rps 500 --vus 100 --scenario checkout.mjs --json

Exits with 1 if a threshold was crossed, or nobody answered.
`;

/** Load tests, by the package `@lb/load`. */
export function addBenchCommand(program: Command): void {
  program
    .command("bench")
    .argument("<url>", "what is tested")
    .description("put a load on a URL, and see whether thresholds hold (@lb/load)")
    .option("--vus <n>", "users at a time", wholeNumber(1, 100_000), 10)
    .option("--duration <time>", "how long", milliseconds, 10_000)
    .option(
      "--stages <stages>",
      "users over time in place of both: 10s:50,30s:200 goes to 50 in 10 s, to 200 in 30 s",
      stages,
    )
    .option("--rps <n>", "begin so often a second; what is late counts from when it was due", positive)
    .option("--scenario <file>", "what a user does: export default async (user) => { await user.get('/') }")
    .option("--header <field>", "of each request, 'Name: value'; may be given more than once", header)
    .option("--timeout <time>", "for an answer", milliseconds, 30_000)
    .option("--insecure", "believe any certificate")
    .option("--p95 <ms>", "threshold: 95 of 100 are answered within", milliseconds)
    .option("--p99 <ms>", "threshold: 99 of 100 are answered within", milliseconds)
    .option("--errors <share>", "threshold: no larger part fails, 0.02 being one in fifty", share)
    .option("--min-rps <n>", "threshold: at least so many are answered in a second", positive)
    .option("--json", "the report as JSON")
    .addHelpText("after", examples)
    .action(bench);
}

async function bench(url: string, flags: Flags): Promise<void> {
  const { vus, duration, p95, p99, errors, minRps, json } = flags;
  const load = optionalPackage("@lb/load") as LoadPackage | undefined;
  if (load === undefined)
    throw new CliError("Load tests need the package @lb/load: npm install --save-dev @lb/load", 2);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(`Give a URL such as http://localhost:3000, not ${url}.`, 2);
  }
  const scenario = flags.scenario === undefined ? undefined : await readScenario(flags.scenario);
  const line = new ProgressLine(process.stderr);
  const ending = new AbortController();
  const end = () => ending.abort();
  process.once("SIGINT", end);
  try {
    const report = await load.loadTest({
      url,
      // All at once, and then for as long as was asked for.
      stages: flags.stages ?? [
        { durationMs: 1, users: vus },
        { durationMs: duration, users: vus },
      ],
      perSecond: flags.rps,
      scenario,
      headers: flags.header,
      timeoutMs: flags.timeout,
      insecure: flags.insecure,
      thresholds: { p95Ms: p95, p99Ms: p99, errors, minPerSecond: minRps },
      signal: ending.signal,
      progress: (progress: Progress) => line.show(progressText(progress), progress.elapsedMs / progress.durationMs),
    });
    line.clear();
    say(json === true ? JSON.stringify(report) : load.reportText(report));
    if (!report.passed) {
      const crossed = report.verdicts.filter(({ holds }) => !holds).map(({ threshold }) => threshold);
      throw new CliError(crossed.length === 0 ? "Nobody answered." : `Crossed: ${crossed.join(", ")}.`, 1);
    }
  } finally {
    line.clear();
    process.removeListener("SIGINT", end);
  }
}

function progressText({ elapsedMs, durationMs, users, count, failed, p95Ms }: Progress): string {
  const time = `${Math.round(elapsedMs / 1_000)} s of ${Math.round(durationMs / 1_000)} s`;
  const p95 = p95Ms === null ? "" : `, p95 ${Math.round(p95Ms)} ms`;
  return `${time}, ${users} users, ${count} requests, ${failed} failed${p95}`;
}

async function readScenario(file: string): Promise<unknown> {
  const path = resolve(file);
  if (!existsSync(path)) throw new CliError(`There is no scenario ${path}.`, 2);
  const { default: given } = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  // What was written as CommonJS is one level below.
  const found = typeof given === "object" && given !== null ? (given as { readonly default?: unknown }).default : given;
  if (typeof found === "function") return found;
  throw new CliError(
    `The scenario ${path} has no default export that is a function: export default async (user) => { … }`,
    2,
  );
}

function stages(text: string): readonly { readonly durationMs: number; readonly users: number }[] {
  return text.split(",").map((stage) => {
    const [time = "", users = ""] = stage.split(":");
    return { durationMs: Math.max(1, milliseconds(time)), users: wholeNumber(0, 100_000)(users) };
  });
}

function header(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const colon = text.indexOf(":");
  if (colon < 1) throw new CliError(`Give a header as 'Name: value', not ${text}.`, 2);
  return { ...before, [text.slice(0, colon).trim()]: text.slice(colon + 1).trim() };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new CliError(`Give a number above 0, not ${text}.`, 2);
}

function share(text: string): number {
  const value = text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new CliError(`Give a part from 0 to 1, such as 0.02, or 2%, not ${text}.`, 2);
}
