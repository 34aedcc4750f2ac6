import { isSame } from "../../options/option-changes.ts";

/** What a configuration holds, without what cannot be carried from one process to another: functions go as what is written. */
export function carried(value: unknown): unknown {
  if (typeof value === "function") return { [functionKey]: String(value) };
  if (Array.isArray(value)) return value.map(carried);
  if (!isGroup(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, carried(one)]));
}

const functionKey = "$function";

/** What has arrived, where it is found: with its functions, as far as they are known here. */
export interface Arrived {
  readonly value: unknown;
  /** The paths of functions that are others, and cannot be called here. */
  readonly foreign: readonly string[];
}

/** `known`: what was there before. What is as it was is that. */
export function arrived(value: unknown, known: unknown, path = ""): Arrived {
  if (isSame(value, carried(known))) return { value: known, foreign: [] };
  if (isFunction(value)) return { value: standIn(value[functionKey]), foreign: [path] };
  const foreign: string[] = [];
  const take = (one: unknown, before: unknown, where: string): unknown => {
    const taken = arrived(one, before, where);
    foreign.push(...taken.foreign);
    return taken.value;
  };
  if (Array.isArray(value)) {
    const before: readonly unknown[] = Array.isArray(known) ? known : [];
    const all = value.map((one, at) => {
      const same = before.find((other) => isSame(one, carried(other)));
      return take(one, same ?? before[at], `${path}[${at}]`);
    });
    return { value: all, foreign };
  }
  if (!isGroup(value)) return { value, foreign };
  const before = isGroup(known) ? known : {};
  const named = Object.entries(value).map(([name, one]): [string, unknown] => [
    name,
    take(one, before[name], path === "" ? name : `${path}.${name}`),
  ]);
  return { value: Object.fromEntries(named), foreign };
}

/** It is there to be compared, and is never called. */
function standIn(text: string): () => void {
  return Object.assign(() => {}, { toString: () => text });
}

function isFunction(value: unknown): value is { readonly [functionKey]: string } {
  return isGroup(value) && typeof value[functionKey] === "string";
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}
