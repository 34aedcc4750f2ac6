import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { milliseconds, offOr, options, positiveNumber, share, wholeNumber, yesOrNo } from "./validation.ts";

/** What is down, or is not. */
export interface HeldRuleOptions {
  /** So long, in milliseconds, until it is said. */
  readonly forMs?: number | undefined;
  /** Up again for so long, in milliseconds, it is over. */
  readonly recoverForMs?: number | undefined;
}

/** What is measured. */
export interface ThresholdRuleOptions {
  /** More is too much. */
  readonly above?: number | undefined;
  /** No less than this much must it be again. */
  readonly recoverBelow?: number | undefined;
  /** For so long, in milliseconds; what is over requests is measured over the last of this time. */
  readonly forMs?: number | undefined;
}

export interface ErrorRateRuleOptions extends ThresholdRuleOptions {
  /** With fewer requests in that time nothing is said. */
  readonly minRequests?: number | undefined;
}

export interface LatencyRuleOptions {
  /** A 95th percentile above this, in milliseconds, is too much. */
  readonly p95Ms: number;
  readonly recoverBelow?: number | undefined;
  readonly forMs?: number | undefined;
  readonly minRequests?: number | undefined;
}

export interface CertificateRuleOptions {
  readonly days?: number | undefined;
}

/** What alerts are about. `false`: not about this. */
export interface AlertRuleOptions {
  /** An instance crashed, cannot start, or gets no requests for its health, one by one; those of programs beside the app too. */
  readonly instance?: false | HeldRuleOptions | undefined;
  /** A backend, or the app, has no endpoint that takes requests. */
  readonly backend?: false | HeldRuleOptions | undefined;
  /** A reload came to nothing; over with the next that succeeds. Default true. */
  readonly reload?: boolean | undefined;
  /** The part of all requests that were failures for their clients. */
  readonly errorRate?: false | ErrorRateRuleOptions | undefined;
  /** How long the slowest twentieth of all requests takes at least. Default false. */
  readonly latency?: false | LatencyRuleOptions | undefined;
  /** The processors that the cluster uses, as a part of those that it may use. */
  readonly cpu?: false | ThresholdRuleOptions | undefined;
  /** The memory that the cluster has, as a part of the machine's, or the container's. */
  readonly memory?: false | ThresholdRuleOptions | undefined;
  /** The part of the time in which the event loop of the primary, or of an instance, is busy. */
  readonly eventLoop?: false | ThresholdRuleOptions | undefined;
  /** Connections are refused, because as many are open as may be. Default true. */
  readonly connectionsRefused?: boolean | undefined;
  /** Requests are refused, because too many wait, or for too long. Default true. */
  readonly queueFull?: boolean | undefined;
  /** A request ends the instances that it gets to. Default true. */
  readonly quarantine?: boolean | undefined;
  /** Lines of the access log are lost: the disk is full, or who reads it is behind. Default true. */
  readonly accessLog?: boolean | undefined;
  /** Instances do not reach the Redis over which their Socket.IO meets others (`setupWorker` of `@lb/socket`). */
  readonly redis?: false | HeldRuleOptions | undefined;
  /** A certificate expires soon. */
  readonly certificate?: false | CertificateRuleOptions | undefined;
}

const seeBelow = { otherwise: "see below" };
const forMs = (fallback: number, about = "so long until it is said") => option(milliseconds(0), fallback, about);
const minRequests = option(wholeNumber(1), 50, "with fewer in that time nothing is said");

const held = (fallback: number) =>
  options({
    forMs: forMs(fallback),
    recoverForMs: option(milliseconds(0), 10_000, "up again for so long, it is over"),
  } satisfies EntriesOf<HeldRuleOptions>);

const wellBelow = (how: string, schema: v.GenericSchema<number> = share()) =>
  option(schema, undefined, "no more than that is good again", { otherwise: how });

const threshold = (above: number, name: string) =>
  v.pipe(
    options({
      above: option(share(), above, name),
      recoverBelow: wellBelow("nine tenths of `above`"),
      forMs: forMs(300_000),
    } satisfies EntriesOf<ThresholdRuleOptions>),
    v.check((given) => (given.recoverBelow ?? 0) <= given.above, "give a recoverBelow of no more than above"),
    v.transform((given) => ({ ...given, recoverBelow: given.recoverBelow ?? 0.9 * given.above })),
  );

const errorRate = v.pipe(
  options({
    above: option(share(), 0.05, "the part of the requests that may fail (a 5xx, or a response that was cut)"),
    recoverBelow: wellBelow("half of `above`"),
    forMs: forMs(60_000, "over so long"),
    minRequests,
  } satisfies EntriesOf<ErrorRateRuleOptions>),
  v.check((given) => (given.recoverBelow ?? 0) <= given.above, "give a recoverBelow of no more than above"),
  v.transform((given) => ({ ...given, recoverBelow: given.recoverBelow ?? given.above / 2 })),
);

const latency = v.pipe(
  options({
    p95Ms: required(positiveNumber(), "a 95th percentile that is too much"),
    recoverBelow: wellBelow("eight tenths of `p95Ms`", positiveNumber()),
    forMs: forMs(60_000, "over so long"),
    minRequests,
  } satisfies EntriesOf<LatencyRuleOptions>),
  v.check((given) => (given.recoverBelow ?? 0) <= given.p95Ms, "give a recoverBelow of no more than p95Ms"),
  v.transform(({ p95Ms, ...given }) => ({
    ...given,
    above: p95Ms,
    recoverBelow: given.recoverBelow ?? 0.8 * p95Ms,
  })),
);

const certificate = options({
  days: option(positiveNumber(), 7, "so many before it expires; of short-lived ones at a third of their lifetime"),
} satisfies EntriesOf<CertificateRuleOptions>);

export const alertRuleSchema = options({
  instance: option(
    offOr(held(5_000)),
    {},
    "an instance crashed, cannot start, or gets no requests for its health",
    seeBelow,
  ),
  backend: option(offOr(held(2_000)), {}, "a backend, or the app, has no endpoint that takes requests", seeBelow),
  reload: option(yesOrNo(), true, "a reload came to nothing; over with the next that succeeds"),
  errorRate: option(offOr(errorRate), {}, "the part of all requests that were failures for their clients", seeBelow),
  latency: option(offOr(latency), false, "how long the slowest twentieth of all requests takes at least"),
  cpu: option(
    offOr(threshold(0.8, "of the processors that it may use")),
    {},
    "the processors that the cluster uses",
    seeBelow,
  ),
  memory: option(
    offOr(threshold(0.8, "of the machine's memory, or the container's")),
    {},
    "the memory that the cluster has",
    seeBelow,
  ),
  eventLoop: option(
    offOr(threshold(0.9, "of the time")),
    {},
    "how busy the event loop of the primary, or of an instance, is",
    seeBelow,
  ),
  connectionsRefused: option(yesOrNo(), true, "connections are refused, because as many are open as may be"),
  queueFull: option(yesOrNo(), true, "requests are refused, because too many wait, or for too long"),
  quarantine: option(yesOrNo(), true, "a request ends the instances that it gets to (the option `quarantine`)"),
  accessLog: option(yesOrNo(), true, "lines of the access log are lost: the disk is full, or who reads it is behind"),
  redis: option(
    offOr(held(10_000)),
    {},
    "instances do not reach the Redis over which their Socket.IO meets others",
    seeBelow,
  ),
  certificate: option(offOr(certificate), {}, "a certificate expires soon", seeBelow),
} satisfies EntriesOf<AlertRuleOptions>);

/** {@link AlertRuleOptions}, checked and completed. */
export type AlertRuleSettings = v.InferOutput<typeof alertRuleSchema>;
