import * as v from "valibot";
import { allFailures, type FailureCondition, gatewayFailures } from "../model/failure-conditions.ts";
import { failureConditions } from "./failure-condition-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import {
  milliseconds,
  type OptionGroup,
  offOr,
  options,
  positiveNumber,
  share,
  wholeNumber,
  yesOrNo,
} from "./validation.ts";

/**
 * nginx's `max_fails` and `fail_timeout`: after `maxFails` failed attempts within `failTimeoutMs` the endpoint is out
 * for `failTimeoutMs`. Then one request is its trial, while the others still go elsewhere: a success clears everything
 * and the endpoint is back (in slow start, if set), a failure puts it out for `failTimeoutMs` again. A trial without
 * an outcome, because the client left or it goes on for longer than `failTimeoutMs`, makes way for another.
 */
export interface PassiveSettings {
  /**
   * The failures that count, as nginx's `proxy_next_upstream` names them: reasons, statuses from 400 on, `"5xx"`. Default
   * `["connect"]`: whoever refuses connections serves nobody, whereas a timeout or a reset may be the fault of one route or
   * one client; of those the outlier detection counts an unbroken run.
   */
  readonly on: readonly FailureCondition[];
  /** Default 1, as nginx's. */
  readonly maxFails: number;
  /** Milliseconds; default 10,000, as nginx's. */
  readonly failTimeoutMs: number;
}

/** Part of {@link OutlierSettings}: compares the endpoints' success rates over one interval. */
export interface SuccessRateSettings {
  /**
   * What counts as no success. Default `["connect", "reset", "timeout", "invalid-response", "5xx"]`, as Envoy's: what all
   * endpoints have in common, such as a route that is broken in the app, raises no one's rate above the others'.
   */
  readonly on: readonly FailureCondition[];
  /** Compare only when so many endpoints had `minRequests`. Default 5: among fewer, a deviation means little. */
  readonly minHosts: number;
  /** Requests in an interval that make an endpoint's rate worth comparing. Default 100. */
  readonly minRequests: number;
  /** Eject below `mean − stdevFactor × standard deviation` of the rates. Default 1.9. */
  readonly stdevFactor: number;
}

/**
 * Envoy's outlier detection. An ejection lasts `baseEjectionMs` times the number of
 * ejections so far, at most `maxEjectionMs`; each `intervalMs` in service takes one off that number again. It ends, as
 * a passive one, with a trial.
 */
export interface OutlierSettings {
  /**
   * What makes a run. Default `["connect", "reset", "timeout", "invalid-response", 502, 503, 504]`, Envoy's gateway
   * failures: a 500 is the app's own answer, and five requests for one broken route must not take an endpoint out.
   */
  readonly on: readonly FailureCondition[];
  /**
   * Failures without anything else in between that eject; false: don't count runs. Default 5. When every healthy endpoint
   * is in such a run the fault is not the endpoint's (a database all of them need), and nobody is ejected.
   */
  readonly consecutiveFailures: number | false;
  /** Milliseconds; default 10,000. */
  readonly intervalMs: number;
  /** Milliseconds; default 10,000. */
  readonly baseEjectionMs: number;
  /** Milliseconds; default 300,000. */
  readonly maxEjectionMs: number;
  readonly successRate: SuccessRateSettings | false;
}

/** Probes sent to every endpoint, as HAProxy's `option httpchk`. */
export interface ActiveSettings {
  /** Request target of the probe, e.g. `"/health"`. */
  readonly path: string;
  /** Milliseconds from the end of one probe to the start of the next; default 5,000. */
  readonly intervalMs: number;
  /** Share of the interval by which it varies up and down, so that probes don't fall into step. Default 0.1. */
  readonly jitter: number;
  /** Milliseconds until a response head must be there; default 2,000. */
  readonly timeoutMs: number;
  /** Successes in a row that bring a down endpoint back; default 2, as HAProxy's `rise`. */
  readonly healthyAfter: number;
  /** Failures in a row that take an endpoint out; default 3, as HAProxy's `fall`. */
  readonly unhealthyAfter: number;
  /** Default: 200 to 399. */
  readonly expectStatus: (status: number) => boolean;
  /**
   * An endpoint gets no request before its first successful probe. Default false: it is taken for healthy until found
   * otherwise. While nobody is known to be healthy, health is ignored all the same.
   *
   * In a cluster the default is true, and an instance is not ready, nor its start over, before that: an app may listen
   * before it can answer.
   */
  readonly requireFirstProbe: boolean;
}

/** How health is judged, complete and checked; {@link HealthOptions} is what a user writes. */
export interface HealthSettings {
  readonly passive: PassiveSettings | false;
  readonly outlier: OutlierSettings | false;
  readonly active: ActiveSettings | false;
  /**
   * Part of the roster that may be out because of failed requests, those that probes found down included; at least one
   * endpoint of two or more, never all; 0 ejects nobody. Default 0.5: of 4 workers 2, of 10 endpoints 5. The ones that
   * stay in still fail, but a retry costs less than a load that the rest cannot carry.
   */
  readonly maxEjectedShare: number;
  /**
   * With a smaller part of the roster than this eligible, health is ignored: when nearly all seem to fail, the checks
   * or the way there are more likely at fault than the endpoints. With nobody eligible it is always ignored. Default
   * 0.2: one answering worker of 4 still takes all traffic, one of 10 does not. (Envoy's 0.5 would send three of four
   * requests to workers that are known to hang.)
   */
  readonly panicThreshold: number;
  /**
   * Milliseconds in which the traffic of an endpoint grows to its full share after it recovered, or joined others that
   * serve. Default 0, off, as with nginx and HAProxy: a ramp moves keys of hashing strategies and makes a rotation uneven.
   */
  readonly slowStartMs: number;
}

/** The statuses a probe may be answered with: one, several, a range with both ends included, or a test. */
export type StatusExpectation =
  | number
  | readonly number[]
  | { readonly from: number; readonly to: number }
  | ((status: number) => boolean);

type OutlierOptions = Partial<Omit<OutlierSettings, "successRate">> & {
  readonly successRate?: false | Partial<SuccessRateSettings>;
};

type ActiveOptions = Pick<ActiveSettings, "path"> &
  Partial<Omit<ActiveSettings, "path" | "expectStatus">> & { readonly expectStatus?: StatusExpectation };

/** {@link HealthSettings} as a user writes them: what is left out has the default named there. */
export interface HealthOptions
  extends Partial<Pick<HealthSettings, "maxEjectedShare" | "panicThreshold" | "slowStartMs">> {
  /** Counts failed requests as nginx does. Default on. */
  readonly passive?: false | Partial<PassiveSettings>;
  /** Counts runs of failures and compares rates as Envoy does. Default on. */
  readonly outlier?: false | OutlierOptions;
  /** Probes, as HAProxy sends them. Default false: none. */
  readonly active?: false | ActiveOptions;
}

const passive = options({
  on: option(failureConditions, ["connect"], "`maxFails` of these within `failTimeoutMs`, whatever else is answered"),
  maxFails: option(wholeNumber(1, 1_000), 1, "so many failures take an instance out"),
  failTimeoutMs: option(milliseconds(1), 10_000, "within this time, and for this time"),
} satisfies EntriesOf<PassiveSettings>);

const successRate = options({
  on: option(failureConditions, allFailures, "far more of these than the other instances have"),
  minHosts: option(wholeNumber(2), 5, "among fewer a deviation means little"),
  minRequests: option(wholeNumber(1), 100, "in an interval; with fewer a rate means little"),
  stdevFactor: option(positiveNumber(), 1.9, "out below the mean less so many standard deviations"),
} satisfies EntriesOf<SuccessRateSettings>);

const outlier = options({
  on: option(
    failureConditions,
    gatewayFailures,
    "`consecutiveFailures` of these with nothing else in between; a 500 is the app's own answer",
  ),
  consecutiveFailures: option(offOr(wholeNumber(1)), 5, "so many in a row take an instance out; `false`: none do"),
  intervalMs: option(milliseconds(1), 10_000, "how often rates are compared and ejections forgotten"),
  baseEjectionMs: option(milliseconds(1), 10_000, "how long the first ejection takes, and each further one more"),
  maxEjectionMs: option(milliseconds(1), 300_000, "how long one takes at most"),
  successRate: option(offOr(successRate), {}, "compares the instances' rates of success; `false`: does not", {
    otherwise: "on",
  }),
} satisfies EntriesOf<OutlierOptions>);

const statusRemedy = "give a status, a list of them, { from, to }, or a function of the status";
const status = v.pipe(v.number(statusRemedy), v.integer(statusRemedy), v.minValue(100, statusRemedy));

const isSuccess = (status: number): boolean => status >= 200 && status <= 399;

const expectStatus = v.pipe(
  v.union(
    [
      status,
      v.pipe(v.array(status), v.readonly()),
      v.strictObject({ from: status, to: status }),
      v.custom<(status: number) => boolean>((value) => typeof value === "function"),
    ],
    statusRemedy,
  ),
  v.transform(statusTest),
);

const activeOf = (requireFirstProbe: boolean) =>
  options({
    path: required(
      v.pipe(
        v.string('give the path to probe, e.g. "/health"'),
        v.regex(/^\/[\x21-\x7e]*$/, 'give a path that begins with "/" and has no spaces, e.g. "/health"'),
      ),
      "what each instance is asked for",
      {
        flag: {
          name: "--health-path <path>",
          group: "Health and life",
          help: "ask each instance for this every 5 s; it is ready once it answers",
          fallback: "off",
        },
      },
    ),
    intervalMs: option(milliseconds(1), 5_000, "from the end of one probe to the next"),
    jitter: option(share(), 0.1, "part of the interval by which it varies"),
    timeoutMs: option(milliseconds(1), 2_000, "until a response head must be there"),
    healthyAfter: option(wholeNumber(1), 2, "so many successes in a row bring an instance back; HAProxy's `rise`"),
    unhealthyAfter: option(wholeNumber(1), 3, "so many failures in a row take it out; HAProxy's `fall`"),
    expectStatus: option(expectStatus, () => isSuccess, "a status, a list, `{ from, to }`, or a function", {
      otherwise: "200 to 399",
    }),
    requireFirstProbe: option(yesOrNo(), requireFirstProbe, "no request before the first successful probe"),
  } satisfies EntriesOf<ActiveOptions>);

/** (The cast hides only that `undefined` may also be written out.) */
const healthOf = (requireFirstProbe: boolean) =>
  options({
    passive: option(offOr(passive), {}, "nginx's `max_fails`, `fail_timeout`; or `false`", { otherwise: "on" }),
    outlier: option(offOr(outlier), {}, "Envoy's outlier detection; or `false`", { otherwise: "on" }),
    active: option(
      offOr(activeOf(requireFirstProbe)),
      false,
      "asks each instance for a path, as HAProxy's `option httpchk`",
      {
        otherwise: "off",
      },
    ),
    maxEjectedShare: option(share(), 0.5, "part of the instances that failed requests may take out; never all"),
    panicThreshold: option(share(), 0.2, "with a smaller part of them eligible, health is ignored"),
    slowStartMs: option(milliseconds(0), 0, "how long a new or recovered instance's share grows to its full size"),
  } satisfies EntriesOf<HealthOptions>) as v.GenericSchema<HealthOptions, HealthSettings> & OptionGroup;

/** The `health` option of a balancer, to which an endpoint is as good as the others until found otherwise. */
export const healthSchema = healthOf(false);

/** That of a cluster, whose instances are ready once they can answer. */
export const instanceHealthSchema = healthOf(true);

function statusTest(expected: StatusExpectation): (status: number) => boolean {
  if (typeof expected === "function") return expected;
  if (typeof expected === "number") return (status) => status === expected;
  if ("from" in expected) return (status) => status >= expected.from && status <= expected.to;
  return (status) => expected.includes(status);
}
