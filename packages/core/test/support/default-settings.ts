// What the options are when none is given, for the parts that take settings.
import { affinitySchema, type CookieSettings, type IpSettings } from "../../src/options/affinity-options.ts";
import { type FrontOptionSettings, frontEntries, frontSettings } from "../../src/options/front-options.ts";
import { type ActiveSettings, type HealthSettings, healthSchema } from "../../src/options/health-options.ts";
import { lifeEntries } from "../../src/options/life-options.ts";
import { type HttpLimits, limitSchema } from "../../src/options/limit-options.ts";
import { queueSchema } from "../../src/options/queue-options.ts";
import { parseReloadOptions } from "../../src/options/reload-options.ts";
import { retryBudgetSchema } from "../../src/options/retry-budget-options.ts";
import { options, parseOptions } from "../../src/options/validation.ts";

/** A part that may be switched off, and is not. */
function on<Part>(part: Part | false | undefined): Part {
  if (part === false || part === undefined) throw new Error("It is off by default");
  return part;
}

export const defaultHttpLimits: HttpLimits = parseOptions(limitSchema, {}, "limits");
export const defaultFrontSettings: FrontOptionSettings = {
  ...frontSettings(parseOptions(options(frontEntries), {}, "")),
  // The table of a test process is not ours alone.
  maxDescriptor: Number.POSITIVE_INFINITY,
};
/** The queue and the budget that a balancer has. */
export const balancerDefaults = {
  queue: parseOptions(queueSchema, {}, "queue"),
  retryBudget: parseOptions(retryBudgetSchema, {}, "retryBudget"),
};
export const healthDefaults: HealthSettings = parseOptions(healthSchema, {}, "health");
export const passiveDefaults = on(healthDefaults.passive);
export const outlierDefaults = on(healthDefaults.outlier);
export const successRateDefaults = on(outlierDefaults.successRate);
const { path: _path, ...active } = on(parseOptions(healthSchema, { active: { path: "/" } }, "health").active);
export const activeDefaults: Omit<ActiveSettings, "path"> = active;
export const canaryDefaults = on(parseReloadOptions({ canary: {} }).canary);

const life = parseOptions(options(lifeEntries), {}, "");
export const restartDefaults = life.restart;

const { kind: _cookie, secrets: _secrets, ...cookie } = ruleOf("cookie") as CookieSettings;
export const cookieDefaults = cookie;
const { kind: _ip, ...ip } = ruleOf("ip") as IpSettings;
export const ipDefaults = ip;

function ruleOf(rule: string) {
  return parseOptions(affinitySchema, rule, "affinity")[0];
}
