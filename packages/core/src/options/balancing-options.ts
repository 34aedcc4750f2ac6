import * as v from "valibot";
import type { EventReach } from "../ipc/worker-facts.ts";
import { type StrategyName, strategies } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { type AffinityOptions, affinitySchema } from "./affinity-options.ts";
import { type HealthEndpointOptions, healthEndpointSchema } from "./health-endpoint-options.ts";
import { type HealthOptions, instanceHealthSchema } from "./health-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { queueSchema, type WaitQueueSettings } from "./queue-options.ts";
import { type RetryBudgetSettings, retryBudgetSchema } from "./retry-budget-options.ts";
import { offOr, options, wholeNumber, yesOrNo } from "./validation.ts";

/** Which instance gets what, and which gets nothing. */
export interface BalancingOptions {
  /** How an instance is chosen for each request: a name, or a strategy with options. Default `"least-connections"`. */
  readonly strategy?: StrategyName | Strategy;
  /**
   * Which requests belong together at one instance: by a cookie of ours, by address, header, query parameter or a key of
   * your own, by Socket.IO session, or a list of these in order of precedence. Default: none do.
   */
  readonly affinity?: AffinityOptions;
  /**
   * What is done for Socket.IO (and Engine.IO) servers that the app loads from `node_modules`. Without an `affinity`,
   * their session ids say where each session lives, and requests go there. With `true` and `@lb/socket` installed, their
   * events reach the clients of all instances, as after `setupWorker(io)`. `"sessions"`: the first alone. `false`:
   * nothing. Default: the first, with a warning where events reach one instance only; under `lb start` `true`.
   */
  readonly socketIo?: boolean | "sessions";
  /**
   * In hand-off mode, how many idle connections a second may move from instances that have more than the others, such as
   * after a scale-up; `false`: none. Default 50. With an affinity none move.
   */
  readonly rebalance?: { readonly perSecond?: number } | false;
  /** Where requests wait that no instance can take at the moment: how many, and for how long. */
  readonly queue?: Partial<WaitQueueSettings>;
  /** How many retries all requests together may cost, in proxy mode; how each is tried again is said by `retry`. */
  readonly retryBudget?: Partial<RetryBudgetSettings>;
  /** When an instance is taken out of service, and when it comes back. */
  readonly health?: HealthOptions;
  /**
   * Answers health checks on the public port: `true` for `/health`, `/health/live`, `/health/ready` and
   * `/health/detailed`, or {@link HealthEndpointOptions}. Default false: all requests are the app's.
   */
  readonly healthEndpoints?: boolean | HealthEndpointOptions;
}

/** The options of {@link BalancingOptions}, to be spread into those of a cluster. */
export const balancingEntries = {
  strategy: option(
    // Judged where it is made into a strategy.
    v.custom<StrategyName | Strategy>(() => true),
    "least-connections",
    "a name, or a strategy with options of its own",
    {
      flag: {
        name: "--strategy <name>",
        group: "Balancing",
        help: "how an instance is chosen",
        choices: Object.keys(strategies),
      },
    },
  ),
  affinity: option(affinitySchema, undefined, "which requests belong together; see below", {
    otherwise: "none",
    flag: {
      name: "--affinity <rules>",
      group: "Balancing",
      help: "what belongs together: cookie, ip, socket.io, header:<name>, query:<name>; several with commas",
    },
  }),
  socketIo: option(
    v.pipe(
      v.union([yesOrNo(), v.literal("sessions")], 'give true, false or "sessions"'),
      v.transform((given): EventReach | false => (given === "sessions" ? "leave" : given && "join")),
    ),
    undefined,
    'Socket.IO by itself: `"sessions"`, `true` (events too), `false`: [socket.md](socket.md)',
    {
      otherwise: "sessions",
      underStart: true,
      flag: { name: "--no-socket-io", group: "Balancing", help: "leave Socket.IO servers as they are" },
    },
  ),
  rebalance: option(
    offOr(
      options({
        perSecond: option(wholeNumber(1, 10_000), 50, "how many may move in a second"),
      }),
    ),
    {},
    "hand-off mode: idle connections that may move to emptier instances in a second; `false`: none",
    { otherwise: "`{ perSecond: 50 }`" },
  ),
  queue: option(queueSchema, {}, "where requests wait that no instance can take at the moment; see below", {
    otherwise: "see below",
  }),
  retryBudget: option(retryBudgetSchema, {}, "how many retries all requests together may cost; see below", {
    otherwise: "see below",
  }),
  health: option(instanceHealthSchema, {}, "when an instance is taken out, and when it comes back; see below", {
    otherwise: "passive on",
  }),
  healthEndpoints: option(
    healthEndpointSchema,
    false,
    "answers health checks on the public port: `true`, or `{ path, token, details }`; see below",
    {
      otherwise: "off",
      flag: {
        name: "--health-endpoints <path>",
        group: "Health and life",
        help: 'answer health checks on the public port: "on" is /health',
      },
    },
  ),
} satisfies EntriesOf<BalancingOptions>;
