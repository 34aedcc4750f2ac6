import * as v from "valibot";
import {
  activeDefaults,
  type HealthOptions,
  type HealthSettings,
  healthDefaults,
  outlierDefaults,
  passiveDefaults,
  type StatusExpectation,
  successRateDefaults,
} from "../health/settings.ts";
import { failureConditions } from "./failure-condition-options.ts";
import { milliseconds, offOr, options, positiveNumber, share, wholeNumber, yesOrNo } from "./validation.ts";

const passive = options({
  on: v.optional(failureConditions, passiveDefaults.on),
  maxFails: v.optional(wholeNumber(1, 1_000), passiveDefaults.maxFails),
  failTimeoutMs: v.optional(milliseconds(1), passiveDefaults.failTimeoutMs),
});

const successRate = options({
  on: v.optional(failureConditions, successRateDefaults.on),
  minHosts: v.optional(wholeNumber(2), successRateDefaults.minHosts),
  minRequests: v.optional(wholeNumber(1), successRateDefaults.minRequests),
  stdevFactor: v.optional(positiveNumber(), successRateDefaults.stdevFactor),
});

const outlier = options({
  on: v.optional(failureConditions, outlierDefaults.on),
  consecutiveFailures: v.optional(offOr(wholeNumber(1)), outlierDefaults.consecutiveFailures),
  intervalMs: v.optional(milliseconds(1), outlierDefaults.intervalMs),
  baseEjectionMs: v.optional(milliseconds(1), outlierDefaults.baseEjectionMs),
  maxEjectionMs: v.optional(milliseconds(1), outlierDefaults.maxEjectionMs),
  successRate: v.optional(offOr(successRate), {}),
});

const statusRemedy = "give a status, a list of them, { from, to }, or a function of the status";
const status = v.pipe(v.number(statusRemedy), v.integer(statusRemedy), v.minValue(100, statusRemedy));

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
    path: v.pipe(
      v.string('give the path to probe, e.g. "/health"'),
      v.regex(/^\/[\x21-\x7e]*$/, 'give a path that begins with "/" and has no spaces, e.g. "/health"'),
    ),
    intervalMs: v.optional(milliseconds(1), activeDefaults.intervalMs),
    jitter: v.optional(share(), activeDefaults.jitter),
    timeoutMs: v.optional(milliseconds(1), activeDefaults.timeoutMs),
    healthyAfter: v.optional(wholeNumber(1), activeDefaults.healthyAfter),
    unhealthyAfter: v.optional(wholeNumber(1), activeDefaults.unhealthyAfter),
    expectStatus: v.optional(expectStatus, () => activeDefaults.expectStatus),
    requireFirstProbe: v.optional(yesOrNo(), requireFirstProbe),
  });

/** (The cast hides only that `undefined` may also be written out.) */
const healthOf = (requireFirstProbe: boolean) =>
  options({
    passive: v.optional(offOr(passive), {}),
    outlier: v.optional(offOr(outlier), {}),
    active: v.optional(offOr(activeOf(requireFirstProbe)), false),
    maxEjectedShare: v.optional(share(), healthDefaults.maxEjectedShare),
    panicThreshold: v.optional(share(), healthDefaults.panicThreshold),
    slowStartMs: v.optional(milliseconds(0), healthDefaults.slowStartMs),
  }) as v.GenericSchema<HealthOptions, HealthSettings>;

/** The `health` option of a balancer, to which an endpoint is as good as the others until found otherwise. */
export const healthSchema = healthOf(activeDefaults.requireFirstProbe);

/** That of a cluster, whose instances are ready once they can answer. */
export const instanceHealthSchema = healthOf(true);

function statusTest(expected: StatusExpectation): (status: number) => boolean {
  if (typeof expected === "function") return expected;
  if (typeof expected === "number") return (status) => status === expected;
  if ("from" in expected) return (status) => status >= expected.from && status <= expected.to;
  return (status) => expected.includes(status);
}
