import { isSecret, withoutCredentials } from "../model/errors.ts";
import type { ChangedBy } from "./change-rules.ts";
import { changedBy, type Mode } from "./changed-by.ts";
import { type ClusterOptions, clusterSchema } from "./cluster-options.ts";
import { type DescribedOption, describe } from "./option.ts";

/** An option that has another value. */
export interface OptionChange {
  /** Where it is: `"routes[2].to"`. */
  readonly option: string;
  /** As they may be shown; secrets are not. Undefined: it is not given. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly by: ChangedBy;
}

/** What is different between options as they were given and as they are given now. */
export function optionChanges(before: ClusterOptions, after: ClusterOptions, mode: Mode): readonly OptionChange[] {
  return describe(clusterSchema).flatMap((option) =>
    changesOf(
      { path: option.path, names: [option.path], described: option, mode },
      before[option.path as keyof ClusterOptions],
      after[option.path as keyof ClusterOptions],
    ),
  );
}

interface Place {
  /** As it is written. */
  readonly path: string;
  /** As options are declared, without numbers of lists and names of records. */
  readonly names: readonly string[];
  /** Undefined: nothing more is known of what is within. */
  readonly described: DescribedOption | undefined;
  readonly mode: Mode;
}

type Values = Readonly<Record<string, unknown>>;

function changesOf(place: Place, from: unknown, to: unknown): readonly OptionChange[] {
  const { described } = place;
  if (isSame(from, to) || isSame(orDefault(from, described), orDefault(to, described))) return [];
  if (Array.isArray(from) && Array.isArray(to) && hasGroups(from, to)) return changesInList(place, from, to);
  const [one, other] = [from ?? groupDefault(described), to ?? groupDefault(described)];
  if (!isGroup(one) || !isGroup(other)) return [change(place, from, to)];
  const isRecord = described?.schema.type === "record";
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((name) =>
    changesOf(isRecord ? named(place, name) : part(place, name), one[name], other[name]),
  );
}

function part(place: Place, name: string): Place {
  const described = place.described?.parts.find(({ path }) => path.endsWith(`.${name}`));
  return { ...place, path: `${place.path}.${name}`, names: [...place.names, name], described };
}

/** One of those that have names of their users', which are alike. */
function named(place: Place, name: string): Place {
  return { ...place, path: `${place.path}.${name}`, described: placed(place.described) };
}

/** One of a list, or of a record: what belongs to it stands among the parts of that. */
function placed(described: DescribedOption | undefined): DescribedOption | undefined {
  if (described === undefined) return undefined;
  return { ...described, schema: anyGroup, fallback: undefined };
}

const anyGroup = { type: "custom" } as DescribedOption["schema"];

/** What is in front of the first difference and behind the last stays; between them, one stands for the other. */
function changesInList(place: Place, from: readonly unknown[], to: readonly unknown[]): readonly OptionChange[] {
  const least = Math.min(from.length, to.length);
  let begin = 0;
  while (begin < least && isSame(from[begin], to[begin])) begin += 1;
  let end = 0;
  while (end < least - begin && isSame(from[from.length - 1 - end], to[to.length - 1 - end])) end += 1;
  const [less, more] = [from.slice(begin, from.length - end), to.slice(begin, to.length - end)];
  return Array.from({ length: Math.max(less.length, more.length) }, (_, at) => {
    const one: Place = { ...place, path: `${place.path}[${begin + at}]`, described: placed(place.described) };
    return changesOf(one, less[at], more[at]);
  }).flat();
}

function change(place: Place, from: unknown, to: unknown): OptionChange {
  const { path, names, mode } = place;
  const [old, next] = [changedBy(names, mode, from), changedBy(names, mode, to)];
  // What a group had that is there no longer is changed by it, too.
  const by = from === undefined ? next : to === undefined ? old : changedBy(names, mode);
  return { option: path, from: shownOr(from, place), to: shownOr(to, place), by };
}

/** Of what is not given its default, if that is a value. */
function shownOr(value: unknown, { path, described }: Place): string | undefined {
  if (value !== undefined) return shown(value, path);
  const fallback = orDefault(undefined, described);
  return isGroup(fallback) || fallback === undefined ? undefined : `${shown(fallback, path)} (default)`;
}

function groupDefault(described: DescribedOption | undefined): unknown {
  return described !== undefined && isGroup(described.fallback) ? described.fallback : undefined;
}

/** Written out as it is anyway, it is no change. */
function orDefault(value: unknown, described: DescribedOption | undefined): unknown {
  const fallback = described?.notes.otherwise === undefined ? described?.fallback : undefined;
  return value ?? fallback;
}

function hasGroups(...lists: readonly (readonly unknown[])[]): boolean {
  return lists.every((list) => list.length > 0 && list.every(isGroup));
}

function isGroup(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}

/** Functions are the same if they are written alike: those of a file that is read anew are others in any case. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one === "function" && typeof other === "function") return String(one) === String(other);
  if (one instanceof RegExp || other instanceof RegExp) return String(one) === String(other);
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => isSame(value, other[at]));
  }
  if (!isGroup(one) || !isGroup(other)) return false;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => isSame(one[name], other[name]));
}

/** More of a value says nothing that its beginning does not. */
const maxShown = 160;

/** Undefined: there is none. */
export function shown(value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(plain(value, path)) ?? String(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** Its secrets are dots: what has such a name, variables, and fields that say who somebody is. */
function plain(value: unknown, path: string): unknown {
  if (isSecret(path) || isPrivate.test(path)) return hidden;
  if (typeof value === "string") return value.includes("-----BEGIN ") ? "(PEM)" : withoutCredentials(value);
  if (typeof value === "function") return `(the function ${value.name || "without a name"})`;
  if (value instanceof RegExp) return String(value);
  if (value === Number.POSITIVE_INFINITY) return "unlimited";
  if (Array.isArray(value)) return value.map((one, at) => plain(one, `${path}[${at}]`));
  if (!isGroup(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one, `${path}.${name}`)]));
}

const hidden = "•••";

const isPrivate =
  /(^|\.)(env|auth)(\.|$)|\.(authorization|proxy-authorization|cookie|set-cookie|x-api-key)$|(^|[.-])(api-?key|access-?key)$/i;
