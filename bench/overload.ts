// pnpm bench overload [--app cpu|pool] [--seconds 20] [--times 3] [--smoke] [--json]
//
// What an app does for clients that do not wait for long, when so many times more of them ask than it can serve: with and
// without a limit on requests in flight that follows the latency.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Clients give up after so long. */
const patienceMs = 500;

interface Outcomes {
  readonly offered: number;
  /** Answered with 200 in time. */
  good: number;
  refused: number;
  late: number;
}

type Outcome = "good" | "refused" | "late";

function ask(url: string, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const asked = request(url, { agent }, (response) => {
      response.resume().once("end", () => {
        clearTimeout(patience);
        resolve(response.statusCode === 200 ? "good" : "refused");
      });
    });
    const patience = setTimeout(() => {
      resolve("late");
      asked.destroy();
    }, patienceMs);
    // After a while it was late, before that it was sent away.
    asked.on("error", () => {
      clearTimeout(patience);
      resolve("refused");
    });
    asked.end();
  });
}

/** So many a second, whatever becomes of them. */
async function offer(url: string, perSecond: number, seconds: number): Promise<Outcomes> {
  const agent = new Agent({ keepAlive: true });
  const startedAt = performance.now();
  const asked: Promise<Outcome>[] = [];
  while (asked.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, ((performance.now() - startedAt) * perSecond) / 1_000);
    while (asked.length < due) asked.push(ask(url, agent));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const outcomes: Outcomes = { offered: asked.length, good: 0, refused: 0, late: 0 };
  for (const outcome of await Promise.all(asked)) outcomes[outcome]++;
  agent.destroy();
  return outcomes;
}

/** What it can do: as many at a time as keep it busy, one after the other. */
async function peakOf(url: string, atOnce: number, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const until = performance.now() + seconds * 1_000;
  let good = 0;
  const client = async () => {
    while (performance.now() < until) if ((await ask(url, agent)) === "good") good++;
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  agent.destroy();
  return good / seconds;
}

interface Options {
  readonly app: string;
  readonly limit: "none" | "adaptive";
  readonly times: number;
  readonly seconds: number;
}

async function measure({ app, limit, times, seconds }: Options) {
  const script = fileURLToPath(new URL("./overload-app.ts", import.meta.url));
  const env = { ...process.env, BENCH_OVERLOAD_APP: app, BENCH_OVERLOAD_LIMIT: limit };
  const child = fork(script, { env });
  try {
    const [{ url }] = (await once(child, "message")) as [{ readonly url: string }];
    const peak = await peakOf(url, app === "cpu" ? 2 : 8, Math.min(5, seconds / 2));
    // What it takes until it is found out, by itself.
    const first = await offer(url, peak * times, Math.min(6, seconds));
    const then = await offer(url, peak * times, seconds);
    const goodput = then.good / seconds;
    return {
      app,
      limit,
      peak: Math.round(peak),
      goodAtFirst: (first.good * times) / first.offered,
      goodput: Math.round(goodput),
      ofPeak: goodput / peak,
      refused: then.refused / then.offered,
      late: then.late / then.offered,
    };
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

const { values } = parseArgs({
  options: {
    app: { type: "string" },
    seconds: { type: "string", default: "20" },
    times: { type: "string", default: "3" },
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const apps = values.app === undefined ? (values.smoke ? ["pool"] : ["cpu", "pool"]) : [values.app];
const seconds = values.smoke ? 4 : Number(values.seconds);
const times = Number(values.times);
const cases = apps.flatMap((app) => (["none", "adaptive"] as const).map((limit) => ({ app, limit, times, seconds })));
const rows = values.smoke ? await Promise.all(cases.map(measure)) : [];
if (!values.smoke) for (const one of cases) rows.push(await measure(one));
if (values.json) console.log(JSON.stringify(rows));
else {
  const shown = ["goodAtFirst", "ofPeak", "refused", "late"] as const;
  console.table(
    rows.map((row) => ({ ...row, ...Object.fromEntries(shown.map((name) => [name, row[name].toFixed(2)])) })),
  );
}
