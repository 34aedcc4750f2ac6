import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFailed, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { httpGet } from "./http-get.ts";

/** One series of an answer. */
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const scrapeMs = 200;

/** A Prometheus that looks at one place five times a second, until the test ends. */
export class Prometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async watching(target: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "lb-prometheus-"));
    const scrape = { job_name: "lb", static_configs: [{ targets: [target] }] };
    const config = {
      global: { scrape_interval: `${scrapeMs}ms`, scrape_timeout: `${scrapeMs}ms` },
      scrape_configs: [scrape],
    };
    // JSON is YAML.
    writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
    const port = await freePorts(1);
    const child = spawn("prometheus", [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    attend(child, folder);
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`);
    await eventually(async () => (await prometheus.query("up").catch(() => [])).some(({ value }) => value[1] === "1"), {
      what: `a Prometheus that sees ${target}`,
    });
    return prometheus;
  }

  async query(expression: string): Promise<readonly Series[]> {
    const { result } = await this.#ask<{ readonly result: Series[] }>(`query?query=${encodeURIComponent(expression)}`);
    return result;
  }

  /** Of all that it has seen. */
  names(): Promise<readonly string[]> {
    return this.#ask("label/__name__/values");
  }

  /** Of an expression that gives one series. */
  async number(expression: string): Promise<number> {
    const [series] = await this.query(expression);
    return Number(series?.value[1]);
  }

  /** Whether a scrape was refused, cut off, or answered otherwise than by metrics. Who has no time to answer is just busy. */
  async hadBadAnswer(): Promise<boolean> {
    const isBad = `(1 - up) * (scrape_duration_seconds < bool ${scrapeMs / 1_000})`;
    return (await this.number(`max_over_time((${isBad})[10m:${scrapeMs / 2}ms])`)) !== 0;
  }

  async #ask<Data>(what: string): Promise<Data> {
    const { body } = await httpGet(`${this.#url}/api/v1/${what}`);
    const answer = JSON.parse(body) as { readonly status: string; readonly data: Data };
    if (answer.status !== "success") throw new Error(body);
    return answer.data;
  }
}

function attend(child: ChildProcess, folder: string): void {
  let said = "";
  child.on("error", (error) => {
    said += error.message;
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (text) => {
      said += text;
    });
  }
  const exited = new Promise((resolve) => child.once("close", resolve));
  onTestFailed(() => console.error(said.slice(-4_000)));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
}
