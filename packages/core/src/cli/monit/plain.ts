import type { Sighting } from "../../cluster/cluster-watch.ts";
import { ask } from "../../control/control-client.ts";
import type { ControlAddress } from "../../control/control-directory.ts";
import type { HistorySpan } from "../../control/history-span.ts";
import { readiness } from "../../control/instance-names.ts";
import { type Clock, every } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";
import { memory, ms, percent, shortNumber } from "../figures.ts";
import { say } from "../say.ts";
import { Feed } from "./feed.ts";
import { frame } from "./frame.ts";
import { heard, type Known, knownInstances, nothingKnown } from "./known.ts";
import type { Charset } from "./sparkline.ts";
import { trafficRows } from "./traffic-rows.ts";
import { firstView } from "./view.ts";

/** Events and lines in a snapshot. */
const textRows = 10;
const width = 120;
const answerMs = 10_000;

/** All there is to see, once, as text: for pipes, and terminals on which nothing can be placed. */
export async function snapshot({ path }: ControlAddress, charset: Charset): Promise<void> {
  const known = await watched(path);
  const instances = knownInstances(known).length + 2;
  const traffic = trafficRows(known).length + 2;
  const rows = 12 + instances + traffic + 2 * (textRows + 1);
  const lines = frame(known, firstView, { columns: width, rows, charset, now: 0 }).slice(0, -1);
  const texts = lines.map((line) =>
    line
      .map(({ text }) => text)
      .join("")
      .trimEnd(),
  );
  say(texts.join("\n").trimEnd());
}

/** Twice, since rates take two looks. */
async function watched(path: string): Promise<Known> {
  const enough = new AbortController();
  let [known, looks] = [nothingKnown, 0];
  const told = (event: unknown) => {
    known = heard(known, { kind: "sighting", sighting: event as Sighting });
    looks += 1;
    if (looks === 2) enough.abort();
  };
  const lines: unknown[] = [];
  // Where they are not kept there are none.
  await ask({
    path,
    command: "logs",
    argument: { lines: textRows, follow: false },
    told: (line) => lines.push(line),
  }).catch((error: Error) => {
    known = heard(known, { kind: "no-lines", why: error.message });
  });
  if (known.noLines === undefined) known = heard(known, { kind: "lines", lines: lines as Known["lines"], anew: true });
  await ask({ path, command: "watch", argument: {}, told, timeoutMs: answerMs, signal: enough.signal }).catch(
    (error) => {
      if (!enough.signal.aborted) throw error;
    },
  );
  return known;
}

const titles = ["time", "ready", "req/s", "failed", "p50", "p95", "p99", "in flight", "connections", "cpu", "memory"];
const widths = [8, 8, 8, 7, 8, 8, 8, 9, 11, 7, 8];
const linesToATitle = 20;

export interface PlainOptions {
  readonly address: ControlAddress;
  readonly find: (name: string) => Promise<ControlAddress>;
  readonly intervalMs: number;
  readonly clock: Clock;
}

/** A line each so often, until this process is interrupted. */
export function plainLines({ address, find, intervalMs, clock }: PlainOptions): Promise<never> {
  if (intervalMs < 1_000) throw new CliError("--interval: give 1s at least; nothing is measured more often.", 2);
  let [known, said, spans]: [Known, number, HistorySpan[]] = [nothingKnown, 0, []];
  new Feed({
    address,
    find,
    heard: (news) => {
      if (news.kind === "sighting" && known.status !== undefined) spans.push(...news.sighting.spans);
      known = heard(known, news);
    },
    clock,
  });
  return new Promise((_, reject) => {
    process.stdout.on("error", reject);
    every(clock, intervalMs, () => {
      if (said % linesToATitle === 0) say(row(titles));
      said += 1;
      say(known.link.kind === "lost" ? `${address.name} ${known.link.why}` : row(figures(known, spans)));
      spans = [];
    });
  });
}

function figures({ status, recent, spans: all }: Known, since: readonly HistorySpan[]): readonly string[] {
  const spans = since.length === 0 ? all.slice(-1) : since;
  const sum = (of: (span: HistorySpan) => number) => spans.reduce((total, span) => total + of(span), 0);
  const [requests, failures, long] = [sum((one) => one.requests), sum((one) => one.failures), sum((one) => one.ms)];
  const last = spans.at(-1);
  const { p50 = null, p95 = null, p99 = null } = recent?.total.totalMs ?? {};
  return [
    new Date(last?.at ?? 0).toTimeString().slice(0, 8),
    status === undefined ? "-" : readiness(status),
    shortNumber((requests * 1_000) / Math.max(1, long)),
    failures === 0 ? "0" : percent(failures / requests),
    ms(p50),
    ms(p95),
    ms(p99),
    String(last?.inFlight ?? 0),
    String(last?.connections ?? 0),
    `${Math.round((last?.cpu ?? 0) * 100)} %`,
    memory(last?.rssBytes ?? 0),
  ];
}

function row(cells: readonly string[]): string {
  return cells.map((text, column) => text.padStart(widths[column]!)).join(" ");
}
