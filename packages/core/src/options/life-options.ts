import * as v from "valibot";
import { type StopSignal, stopSignals } from "../ipc/worker-facts.ts";
import { isCron } from "./cron-pattern.ts";
import { type EntriesOf, option } from "./option.ts";
import { milliseconds, offOr, oneOf, options, wholeNumber, yesOrNo } from "./validation.ts";

/** When an instance that died is started again. */
export interface RestartOptions {
  /** Pause before the second restart in a row, in milliseconds; each further one doubles it. The first is immediate. Default 100. */
  readonly delayMs: number;
  /** Longest pause between two restarts, in milliseconds. Default 10,000. */
  readonly maxDelayMs: number;
  /** A worker that served this long, in milliseconds, before it died is stable: its death starts a new count. Default 10,000. */
  readonly stableAfterMs: number;
  /** More deaths in a row than this, none of them of a stable worker, are a crash loop. Default 5. */
  readonly maxCrashes: number;
  /** Pause between restarts in a crash loop, in milliseconds. Default 30,000. */
  readonly crashLoopDelayMs: number;
}

/** What is made of the silence of an instance. */
export interface HeartbeatSettings {
  /** How often each worker tells how it is, in milliseconds. Default 1,000. */
  readonly intervalMs: number;
  /** One that has been silent for so long, in milliseconds, gets no new traffic until it speaks again. Default 3,000. */
  readonly outAfterMs: number;
  /** One that has been silent for so long, in milliseconds, is killed and replaced. Default 30,000. */
  readonly killAfterMs: number;
}

/** How many instances start at the same time; `"first"`: the first one alone, then all the others. */
export type StartParallelism = number | "all" | "first";

/** How instances start, live and end. */
export interface LifeOptions {
  /** An instance that is not ready in this time, in milliseconds, is killed and replaced. Default 30,000. */
  readonly startTimeoutMs?: number;
  /**
   * An instance is ready only when its app has called `process.send("ready")` as well, which is PM2's `wait_ready`.
   * Default false: it is ready when it listens.
   */
  readonly waitReady?: boolean;
  /**
   * How many instances start at the same time in the first start; `"first"`: the first one alone, then all others, for programs that
   * prepare a directory or a database at their first start. Default `"all"`; under `lb start` `"first"`.
   */
  readonly startParallelism?: StartParallelism;
  /**
   * How long a drain may take, in milliseconds, until open connections are cut: in `close()`, on SIGTERM and SIGINT, and
   * of a worker whose primary is gone. Default 10,000.
   */
  readonly drainTimeoutMs?: number;
  /**
   * From SIGTERM, or `close()`, to the beginning of the drain, in milliseconds: requests are still taken, while
   * `/health/ready` already says 503. A balancer in front of this machine needs so long to look elsewhere. Default 0.
   */
  readonly shutdownDelayMs?: number;
  /**
   * Which handler of the app's is called when its instance has drained and is to end: that of SIGTERM, the default, of
   * another signal such as `"SIGINT"`, which is PM2's, or with `"message"` that of `process.on("message")`, which gets
   * `"shutdown"`. An app without one ends by SIGTERM.
   */
  readonly stopSignal?: StopSignal;
  /** What happens when an instance dies; see {@link RestartOptions}. */
  readonly restart?: Partial<RestartOptions>;
  /**
   * One that ends by itself with one of these has done its work, and is not started again; `lb restart` and a reload do that. Default: none,
   * whoever ends is replaced.
   */
  readonly stopExitCodes?: readonly number[];
  /**
   * When all instances are replaced by the clock, one after the other as in a reload: five fields of cron, in local time, or six with
   * seconds first: `"0 4 * * *"`. Default: never.
   */
  readonly restartCron?: string;
  /**
   * What becomes of an instance that says nothing, because its event loop is blocked or its process stopped: no new
   * traffic after `outAfterMs` (default 3,000), killed and replaced after `killAfterMs` (default 30,000). It is to speak
   * every `intervalMs` (default 1,000). `false`: nothing; so it is under a debugger (`--inspect`) in any case.
   */
  readonly heartbeat?: Partial<HeartbeatSettings> | false;
  /**
   * An instance whose resident memory exceeds this many megabytes (of 1,048,576 bytes) is replaced: its successor starts
   * first, then it drains. Default: no limit.
   */
  readonly maxMemoryMb?: number;
}

const restart = options({
  delayMs: option(milliseconds(0), 100, "pause before the second restart in a row; each further one doubles it", {
    flag: {
      name: "--restart-delay <time>",
      group: "Health and life",
      help: "pause before the second restart in a row",
    },
  }),
  maxDelayMs: option(milliseconds(0), 10_000, "longest pause between two restarts"),
  stableAfterMs: option(milliseconds(0), 10_000, "who served so long before it died begins a new count"),
  maxCrashes: option(wholeNumber(0), 5, "more deaths in a row are a crash loop", {
    flag: { name: "--max-crashes <n>", group: "Health and life", help: "more in a row are a crash loop" },
  }),
  crashLoopDelayMs: option(milliseconds(1), 30_000, "pause between restarts in a crash loop"),
} satisfies EntriesOf<RestartOptions>);

const heartbeat = v.pipe(
  options({
    intervalMs: option(milliseconds(50), 1_000, "how often each instance tells how it is"),
    outAfterMs: option(milliseconds(100), 3_000, "silent for so long, it gets no new traffic until it speaks again"),
    killAfterMs: option(milliseconds(200), 30_000, "silent for so long, it is killed and replaced"),
  } satisfies EntriesOf<HeartbeatSettings>),
  v.check(
    ({ intervalMs, outAfterMs, killAfterMs }) => 2 * intervalMs <= outAfterMs && outAfterMs <= killAfterMs,
    "give an outAfterMs of at least twice intervalMs, and a killAfterMs of no less than that",
  ),
);

const cronRemedy = 'give five fields of cron, or six with seconds first: "0 4 * * *" is each day at four';

/** The options of {@link LifeOptions}, to be spread into those of a cluster. */
export const lifeEntries = {
  startTimeoutMs: option(milliseconds(1), 30_000, "an instance not ready by then is killed and replaced", {
    flag: { name: "--start-timeout <time>", group: "Health and life", help: "until an instance must be ready" },
  }),
  waitReady: option(
    yesOrNo(),
    false,
    "an instance is ready only after its app's `process.send(\"ready\")`, PM2's `wait_ready`",
    {
      flag: {
        name: "--wait-ready",
        group: "Health and life",
        help: 'an instance is ready when it calls process.send("ready")',
      },
    },
  ),
  startParallelism: option(
    v.union([v.picklist(["all", "first"]), wholeNumber(1)], 'give "all", "first", or how many at a time'),
    "all",
    'how many start at a time in the first start; `"first"`: one alone, then the rest, for programs that prepare something then',
    {
      underStart: "first",
      flag: {
        name: "--start-parallelism <n>",
        group: "Health and life",
        help: "instances that start at a time; first: one, then the rest",
      },
    },
  ),
  drainTimeoutMs: option(milliseconds(0), 10_000, "how long a drain may take until connections are cut", {
    flag: { name: "--drain-timeout <time>", group: "Health and life", help: "until open connections are cut" },
  }),
  shutdownDelayMs: option(
    milliseconds(0),
    0,
    "from SIGTERM to the beginning of the drain: requests are still taken, `/health/ready` says 503",
    { flag: { name: "--shutdown-delay <time>", group: "Health and life", help: "from SIGTERM to the drain" } },
  ),
  stopSignal: option(
    oneOf(stopSignals),
    "SIGTERM",
    'which handler of the app\'s is called when it has drained: `"SIGINT"` (PM2\'s), …, or `"message"`',
    {
      flag: {
        name: "--stop-signal <signal>",
        group: "Health and life",
        help: "which handler of the app's is called at its end",
      },
    },
  ),
  restart: option(restart, {}, "when an instance that died is started again; see below", { otherwise: "see below" }),
  stopExitCodes: option(
    v.pipe(v.array(wholeNumber(0, 255), "give a list of exit codes: [0]"), v.readonly()),
    [],
    "who ends by itself with one of these has done its work, and is not started again",
    { otherwise: "none" },
  ),
  restartCron: option(
    v.pipe(
      v.string(cronRemedy),
      v.check((pattern) => isCron(pattern), cronRemedy),
    ),
    undefined,
    'when all are replaced by the clock, as by a reload: `"0 4 * * *"`',
    {
      otherwise: "never",
      flag: {
        name: "--restart-cron <pattern>",
        group: "Health and life",
        help: 'reload by the clock, e.g. "0 4 * * *"',
      },
    },
  ),
  heartbeat: option(
    offOr(heartbeat),
    {},
    "silent instances get no traffic, then are killed and replaced; `false`: nothing; see below",
    {
      otherwise: "see below",
      flag: { name: "--no-heartbeat", group: "Health and life", help: "do not replace instances that are silent" },
    },
  ),
  maxMemoryMb: option(
    wholeNumber(16, 1_048_576),
    undefined,
    "an instance with more resident memory is replaced, its successor first",
    {
      otherwise: "no limit",
      flag: {
        name: "--max-memory <size>",
        group: "Health and life",
        help: "replace an instance that has more, e.g. 512M",
      },
    },
  ),
} satisfies EntriesOf<LifeOptions>;
