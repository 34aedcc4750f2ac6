import { OptionError } from "../model/errors.ts";
import type { AccessLogOptions } from "./access-log-options.ts";
import type { AffinityOptions, AffinityRule } from "./affinity-options.ts";
import { balancingEntries } from "./balancing-options.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { frontEntries } from "./front-options.ts";
import { operatorEntries } from "./operator-options.ts";
import { options, parseOptions } from "./validation.ts";

/**
 * What instances see to themselves in hand-off mode. The primary tells them as it was told itself: an instance's own
 * program may say something else, since a reload starts it anew and the primary goes on.
 */
const gateSchema = options({
  affinity: balancingEntries.affinity,
  healthEndpoints: balancingEntries.healthEndpoints,
  allowedHosts: frontEntries.allowedHosts,
  allowedOrigins: frontEntries.allowedOrigins,
  trustedProxies: frontEntries.trustedProxies,
  backendHeader: frontEntries.backendHeader,
  headers: frontEntries.headers,
  securityHeaders: frontEntries.securityHeaders,
  accessLog: operatorEntries.accessLog,
  requestId: frontEntries.requestId,
  tracing: operatorEntries.tracing,
});

type GateOptions = Pick<ClusterOptions, keyof typeof gateSchema.entries>;

/** In place of a function, which cannot be told: the instance has its own. */
const ownFunction = "own";

/** Of options that were checked, as plain JSON. What the details of health are shown for is the primary's to know. */
export function gateOptions(given: ClusterOptions): object {
  const { affinity, healthEndpoints, allowedHosts, allowedOrigins, trustedProxies, backendHeader } = given;
  const { headers, securityHeaders, accessLog, requestId, tracing } = given;
  const told = {
    affinity: affinity && rulesOf(affinity).map((rule) => (keyOf(rule) === undefined ? rule : { key: ownFunction })),
    healthEndpoints: typeof healthEndpoints === "object" ? { path: healthEndpoints.path } : healthEndpoints,
    allowedHosts,
    allowedOrigins,
    trustedProxies,
    backendHeader,
    headers,
    securityHeaders,
    requestId,
    // Where spans go is the primary's affair, and how it shows who it is there.
    tracing: typeof tracing === "object" ? { ...tracing, otlp: tracing.otlp !== false && {} } : tracing,
    accessLog: typeof accessLog === "object" ? toldLog(accessLog) : accessLog,
  };
  return JSON.parse(JSON.stringify(told));
}

/** Where it goes to is the primary's affair. A function's lines are made there, of all fields. */
function toldLog({ format, only, sample, redact, fields }: AccessLogOptions): AccessLogOptions {
  const told = { only, sample, redact } as AccessLogOptions;
  return typeof format === "function" ? told : { ...told, format: format!, fields: fields! };
}

/**
 * In an instance, whose own options are there for the functions in them.
 *
 * @throws OptionError if they have not as many
 */
export function parseGateOptions(told: object, own: ClusterOptions) {
  const { affinity, ...rest } = told as GateOptions;
  if (affinity === undefined) return parseOptions(gateSchema, rest);
  const functions = own.affinity === undefined ? [] : rulesOf(own.affinity).flatMap((rule) => keyOf(rule) ?? []);
  const rules = rulesOf(affinity).map((rule) => {
    if (!hasKey(rule)) return rule;
    const key = functions.shift();
    if (key !== undefined) return { key };
    const why = "the cluster was started with a key function, and a reload changes the app alone";
    throw new OptionError("affinity", own.affinity, `${why}: keep the function, or start the cluster anew`);
  });
  return parseOptions(gateSchema, { ...rest, affinity: rules });
}

function rulesOf(affinity: AffinityOptions): readonly AffinityRule[] {
  return [affinity].flat() as readonly AffinityRule[];
}

function hasKey(rule: AffinityRule): boolean {
  return typeof rule === "object" && "key" in rule;
}

function keyOf(rule: AffinityRule) {
  return typeof rule === "object" && "key" in rule ? rule.key : undefined;
}
