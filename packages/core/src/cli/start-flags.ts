import { type Command, Option } from "commander";
import * as v from "valibot";
import { type ClusterOptions, clusterSchema } from "../options/cluster-options.ts";
import { type DescribedOption, describe, flagGroups, type OptionFlag } from "../options/option.ts";
import * as read from "./flag-values.ts";

/** A flag of `lb start` that is one of the options of `cluster()`. */
export interface StartFlag {
  /** As commander has it. */
  readonly flag: string;
  /** Where it belongs among the options, e.g. `"limits.maxBodyBytes"`. */
  readonly option: string;
  readonly group: OptionFlag["group"];
  readonly help: string;
  /** Shown only: what holds without the flag is said by the options themselves. */
  readonly fallback: string | undefined;
  readonly choices: readonly string[] | undefined;
  readonly joins: boolean;
  readonly read: read.ReadValue | undefined;
}

/** What an option takes on a command line, where that is not what it takes in code. */
const readersByOption: Readonly<Record<string, read.ReadValue>> = {
  instances: read.instances,
  listen: read.listeners,
  envFile: read.list,
  affinity: read.affinity,
  https: read.https,
  retry: read.attempts,
  healthEndpoints: read.healthEndpoints,
  startParallelism: read.startParallelism,
  maxMemoryMb: read.megabytes,
  "exec.ready": read.readyCheck,
  admin: read.admin,
  rateLimit: read.rateLimit,
  "limits.maxRequestsInFlight": read.requestsInFlight,
};

/** By what stands in the brackets of a flag. */
const readersByPlaceholder: Readonly<Record<string, (option: DescribedOption) => read.ReadValue>> = {
  share: () => read.share,
  time: () => read.milliseconds,
  size: () => read.bytes,
  n: wholeNumber,
  port: wholeNumber,
  hosts: () => read.list,
  origins: () => read.list,
  ranges: () => read.list,
  address: () => read.text,
  name: () => read.text,
  url: () => read.text,
  path: () => read.text,
  command: () => read.text,
};

const described: readonly DescribedOption[] = describe(clusterSchema).flatMap(withParts);

/** In the order in which the options are declared. */
export const startFlags: readonly StartFlag[] = described.flatMap((option) => {
  const { flag } = option.notes;
  return flag === undefined ? [] : [startFlag(option, flag)];
});

/** What `lb start` takes in place of the options' own defaults. */
export const startDefaults: ClusterOptions = Object.fromEntries(
  described.flatMap(({ path, notes }) => (notes.underStart === undefined ? [] : [[path, notes.underStart]])),
);

/** A flag sets one option: what is in lists, or under names, has none. */
function withParts(option: DescribedOption): readonly DescribedOption[] {
  const several = option.schema.type === "array" || option.schema.type === "record";
  return several ? [option] : [option, ...option.parts.flatMap(withParts)];
}

function startFlag(option: DescribedOption, flag: OptionFlag): StartFlag {
  const { path, about, schema } = option;
  const [, placeholder] = /<(.+)>/.exec(flag.name) ?? [];
  const names = (schema as { readonly options?: unknown }).options;
  const choices = flag.choices ?? (schema.type === "picklist" ? (names as readonly string[]) : undefined);
  const reader = readersByOption[path] ?? readersByPlaceholder[placeholder ?? ""]?.(option);
  return {
    flag: flag.name,
    option: path,
    group: flag.group,
    help: flag.help ?? about,
    fallback: placeholder === undefined ? undefined : (flag.fallback ?? fallbackWords(option)),
    choices,
    joins: flag.joins === true,
    read: choices === undefined ? reader : undefined,
  };
}

function fallbackWords({ path, fallback, notes: { otherwise, underStart } }: DescribedOption): string {
  if (underStart !== undefined) return String(underStart);
  if (otherwise !== undefined) return otherwise.replaceAll("`", "");
  if (fallback === Number.POSITIVE_INFINITY) return "no limit";
  return path.endsWith("Ms") ? read.timeWords(Number(fallback)) : String(fallback);
}

/** The option's schema says which numbers it can be. */
function wholeNumber({ schema }: DescribedOption): read.ReadValue {
  return read.judgedNumber((value) => v.safeParse(schema, value).issues?.[0].message);
}

/** Adds them to a command, or those whose options `has`. */
export function addStartFlags(command: Command, has: (option: string) => boolean = () => true): Command {
  for (const group of flagGroups) {
    for (const { flag, help, fallback, choices, read: parse } of startFlags.filter(
      (one) => one.group === group && has(one.option),
    )) {
      const option = new Option(flag, fallback === undefined ? help : `${help} (default: ${fallback})`);
      if (choices !== undefined) option.choices([...choices]);
      if (parse !== undefined) option.argParser(parse);
      command.addOption(option.helpGroup(`${group}:`));
    }
  }
  return command;
}

/** Where a configuration is, and which of it is meant, behind the flags of `lb start`. */
export function addConfigurationFlags(command: Command): Command {
  return command
    .optionsGroup("Configuration:")
    .option("--config <file>", "instead of lb.config.{ts,js,mjs,cjs,json}; PM2's files too")
    .option("--only <name>", "of several apps in PM2's file, this one")
    .option("--env <name>", "with the variables of env_<name> in PM2's file")
    .helpOption("-h, --help", "show this");
}

/** The options that were given by flags, over those of a configuration. */
export function withFlags(config: ClusterOptions, flags: Readonly<Record<string, unknown>>): ClusterOptions {
  let options: object = config;
  for (const one of startFlags) {
    const value = givenValue(one, flags);
    if (value !== undefined) options = withValue(options, one.option.split("."), value, one.joins);
  }
  return options as ClusterOptions;
}

/** One value over another: of two groups the second has what the first does not, and all where the first only asks for it. */
function over(value: unknown, configured: unknown): unknown {
  if (typeof configured !== "object" || configured === null) return value;
  return typeof value === "object" ? { ...configured, ...value } : value === true ? configured : value;
}

/** A copy with one value in it; what stands in the way of its path and is no object makes room. */
function withValue(options: object, [name, ...rest]: readonly string[], value: unknown, joins: boolean): object {
  const inner = (options as Readonly<Record<string, unknown>>)[name!];
  if (rest.length === 0) return { ...options, [name!]: joins ? over(value, inner) : value };
  const base = typeof inner === "object" && inner !== null ? inner : {};
  return { ...options, [name!]: withValue(base, rest, value, joins) };
}

/** The flag for an option, if there is one. */
export function flagFor(option: string): string | undefined {
  const found = startFlags.find((one) => one.option === option);
  return found && (new Option(found.flag).long ?? undefined);
}

/** The flag by which an option was given, e.g. `--max-body`; undefined: by none. */
export function flagOf(path: string, flags: Readonly<Record<string, unknown>>): string | undefined {
  const within = (option: string) => path === option || path.startsWith(`${option}.`) || path.startsWith(`${option}[`);
  const found = startFlags.find((one) => within(one.option) && givenValue(one, flags) !== undefined);
  return found && new Option(found.flag).long;
}

/** Commander says `true` of a `--no-x` that was not given. */
function givenValue({ flag }: StartFlag, flags: Readonly<Record<string, unknown>>): unknown {
  const option = new Option(flag);
  const value = flags[option.attributeName()];
  return option.negate && value !== false ? undefined : value;
}
