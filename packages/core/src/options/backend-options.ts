import * as v from "valibot";
import type { StrategyName } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { type AffinityOptions, affinitySchema } from "./affinity-options.ts";
import { type HealthOptions, healthSchema } from "./health-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { queueSchema, type WaitQueueSettings } from "./queue-options.ts";
import { type RetryBudgetSettings, retryBudgetSchema } from "./retry-budget-options.ts";
import { options, withEntries } from "./validation.ts";

/** An endpoint, and which share of the traffic it gets. */
export interface BackendEndpointOptions {
  readonly url: string;
  /** Relative to the others. Default 1. */
  readonly weight?: number | undefined;
}

/** `"http://10.0.0.1:3000"`, `"unix:/run/app.sock"`, or the same with a weight. */
export type BackendEndpoint = string | BackendEndpointOptions;

/** Who is reached besides the app: programs of their own, here or on other machines, by HTTP/1.1. */
export interface BackendOptions {
  /** Where they are: origins such as `"http://10.0.0.1:3000"`, `"unix:"` and the path of a socket, or the same with a weight. */
  readonly endpoints: readonly BackendEndpoint[];
  /** How one of them is chosen for each request. Default `"least-connections"`. */
  readonly strategy?: StrategyName | Strategy;
  /** Which requests belong together at one of them. Default: none do. */
  readonly affinity?: AffinityOptions;
  /** When one is taken out of service, and when it comes back. */
  readonly health?: HealthOptions;
  /** Where requests wait that none of them can take at the moment. */
  readonly queue?: Partial<WaitQueueSettings>;
  /** How many retries all requests together may cost. */
  readonly retryBudget?: Partial<RetryBudgetSettings>;
}

/** By name. */
export type BackendsOptions = Readonly<Record<string, BackendOptions>>;

const backend = options({
  endpoints: required(
    // Judged where they are made into endpoints.
    v.custom<readonly BackendEndpoint[]>((given) => Array.isArray(given), 'give a list, e.g. ["http://10.0.0.1:3000"]'),
    'where they are: `"http://10.0.0.1:3000"`, `"unix:/run/app.sock"`, `{ url, weight }`',
  ),
  strategy: option(
    // Judged where it is made into a strategy.
    v.custom<StrategyName | Strategy>(() => true),
    "least-connections",
    "how one of them is chosen for each request",
  ),
  affinity: option(affinitySchema, undefined, "which requests belong together at one of them", { otherwise: "none" }),
  health: option(healthSchema, {}, "when one is taken out, and when it comes back; as for the app", {
    otherwise: "passive on",
  }),
  queue: option(queueSchema, {}, "where requests wait that none of them can take; as for the app", {
    otherwise: "as for the app",
  }),
  retryBudget: option(retryBudgetSchema, {}, "how many retries all requests together may cost; as for the app", {
    otherwise: "as for the app",
  }),
} satisfies EntriesOf<BackendOptions>);

/** {@link BackendOptions}, checked and completed; endpoints and strategy are judged where they are used. */
export type BackendSettings = v.InferOutput<typeof backend>;

const nameRemedy = 'give backends names of letters, digits, "-" and "_" that begin with a letter; "app" is the app';

export const backendName = v.pipe(v.string(nameRemedy), v.regex(/^(?!app$)[A-Za-z][\w-]{0,63}$/, nameRemedy));

export const backendsSchema = withEntries(
  v.pipe(
    v.record(backendName, backend, "give backends by their names: { api: { endpoints: […] } }"),
    v.check((given) => Object.keys(given).length <= 256, "give 256 backends at most"),
  ),
  backend,
);
