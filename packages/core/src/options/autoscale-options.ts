import * as v from "valibot";
import { OptionError } from "../model/errors.ts";
import { type EntriesOf, option } from "./option.ts";
import { milliseconds, options, wholeNumber } from "./validation.ts";

/** How many instances there are to be, by how much they have to do. */
export interface AutoscaleOptions {
  /** Never fewer. Default 1. */
  readonly min?: number;
  /** Never more. Default: one for each processor that this process may use, or `min` where that is more. */
  readonly max?: number;
  /**
   * What an instance is kept at, on average; one of: `eventLoopUtilization`, the part of the time in which its event loop
   * is busy (0 to 1); `cpu`, the processors it uses; `inFlight`, requests and WebSockets open on it. Default:
   * `{ eventLoopUtilization: 0.6 }`; of a program (`exec`) `{ cpu: 0.6 }`.
   */
  readonly target?:
    | { readonly eventLoopUtilization: number }
    | { readonly cpu: number }
    | { readonly inFlight: number };
  /** How often it is decided, in milliseconds. Default 5,000; growing takes two decisions in a row. */
  readonly intervalMs?: number;
  /** How long less must have been enough before instances are drained and ended, in milliseconds. Default 60,000. */
  readonly cooldownMs?: number;
}

/** What an instance is to be kept at, on average over the instances that take traffic. */
export interface AutoscaleTarget {
  readonly metric: "eventLoopUtilization" | "inFlight" | "cpu";
  readonly value: number;
}

export interface AutoscaleSettings {
  readonly min: number;
  readonly max: number;
  readonly target: AutoscaleTarget;
  /** How often it is decided, in milliseconds. */
  readonly intervalMs: number;
  /** How long less must have been enough before instances are ended, in milliseconds. */
  readonly cooldownMs: number;
}

/** {@link AutoscaleSettings} before it is known whose instances they are, and how many processors there are. */
export type ParsedAutoscale = Omit<AutoscaleSettings, "max" | "target"> & {
  readonly max: number | undefined;
  readonly target: AutoscaleTarget | undefined;
};

/** More are a mistake. */
export const maxInstances = 1_024;

const amount = (most: number) =>
  v.pipe(
    v.number(`give a number above 0, up to ${most}`),
    v.check((value) => value > 0 && value <= most, `give a number above 0, up to ${most}`),
  );

const target = v.pipe(
  options({
    eventLoopUtilization: option(amount(1), undefined, "the part of the time in which the event loop is busy", {
      otherwise: "0.6, if no other is given",
    }),
    cpu: option(amount(64), undefined, "the processors that an instance uses", { otherwise: "" }),
    inFlight: option(amount(1_000_000), undefined, "requests and WebSockets open on it", { otherwise: "" }),
  }),
  v.check((given) => targetsOf(given).length === 1, "give one of eventLoopUtilization, cpu and inFlight"),
  v.transform((given) => targetsOf(given)[0]!),
) as unknown as v.GenericSchema<NonNullable<AutoscaleOptions["target"]>, AutoscaleTarget>;

function targetsOf(given: { readonly [Metric in AutoscaleTarget["metric"]]?: number | undefined }): AutoscaleTarget[] {
  return (["eventLoopUtilization", "cpu", "inFlight"] as const).flatMap((metric) => {
    const value = given[metric];
    return value === undefined ? [] : { metric, value };
  });
}

export const autoscaleSchema = v.pipe(
  options({
    min: option(wholeNumber(1, maxInstances), 1, "never fewer"),
    max: option(wholeNumber(1, maxInstances), undefined, "never more", {
      otherwise: "one for each processor, or `min`",
    }),
    target: option(target, undefined, "what an instance is kept at, on average; one of these:", {
      otherwise: "`{ eventLoopUtilization: 0.6 }`, with `exec` `{ cpu: 0.6 }`",
    }),
    intervalMs: option(milliseconds(500), 5_000, "how often it is decided; growing takes two decisions in a row"),
    cooldownMs: option(milliseconds(1_000), 60_000, "how long less must have been enough before instances end"),
  } satisfies EntriesOf<AutoscaleOptions>),
  v.check(({ min, max }) => max === undefined || min <= max, "give a max of no less than min"),
  v.transform((given): ParsedAutoscale => ({ ...given, max: given.max, target: given.target })),
);

/** What instances are kept at where nobody said it. A program's event loop, if it has one, is not known; its processors are. */
const defaultTarget: Readonly<Record<"app" | "program", AutoscaleTarget>> = {
  app: Object.freeze({ metric: "eventLoopUtilization", value: 0.6 }),
  program: Object.freeze({ metric: "cpu", value: 0.6 }),
};

export interface AutoscaledInstances {
  /** Where the option stands. */
  readonly option: string;
  readonly runs: "app" | "program";
  /** Processors that this process may use. */
  readonly parallelism: number;
  /** They say, or it is looked, how they are. */
  readonly heartbeat: boolean;
}

/** @throws OptionError for a target that cannot be measured */
export function autoscaleSettings(
  given: ParsedAutoscale,
  { option: name, runs, parallelism, heartbeat }: AutoscaledInstances,
): AutoscaleSettings {
  const { target = defaultTarget[runs], max = Math.max(parallelism, given.min) } = given;
  const { metric, value } = target;
  if (runs === "program" && metric === "eventLoopUtilization") {
    const remedy = "of a program only the processors and the requests are known: give cpu or inFlight";
    throw new OptionError(`${name}.target`, { [metric]: value }, remedy);
  }
  if (!heartbeat && metric !== "inFlight") {
    const why = `without a heartbeat the instances do not say their ${metric}`;
    throw new OptionError("heartbeat", false, `${why}: leave it on, or give ${name} the target inFlight`);
  }
  return { ...given, target, max };
}

/** So many, within what the autoscaler may do. */
export function withinAutoscale(instances: number, autoscale: AutoscaleSettings | undefined): number {
  return autoscale === undefined ? instances : Math.min(autoscale.max, Math.max(autoscale.min, instances));
}
