import { type ByMode, type ChangedBy, type ChangeRule, changeRules } from "./change-rules.ts";
import type { ClusterOptions } from "./cluster-options.ts";

export type Mode = keyof ByMode;

/** By the names that lead to an option: `["https", "certificates"]`. Of a group of which only a part is meant, the most that any of `within` takes. */
export function changedBy(path: readonly string[], mode: Mode, within?: unknown): ChangedBy {
  let rule: ChangeRule | undefined = changeRules[path[0] as keyof ClusterOptions];
  for (const name of path.slice(1)) if (isParts(rule)) rule = rule.parts[name];
  return rule === undefined ? "upgrade" : most(rule, mode, within);
}

const order: readonly ChangedBy[] = ["in place", "reload", "upgrade"];

function most(rule: ChangeRule, mode: Mode, within: unknown): ChangedBy {
  if (typeof rule === "string") return rule;
  if (!isParts(rule)) return rule[mode];
  const all = Object.entries(rule.parts).filter(([name]) => !isGroup(within) || name in within);
  return all
    .map(([name, part]) => most(part, mode, isGroup(within) ? within[name] : undefined))
    .reduce(higher, "in place");
}

/** Which of two asks for more. */
export function higher(one: ChangedBy, other: ChangedBy): ChangedBy {
  return order.indexOf(one) < order.indexOf(other) ? other : one;
}

function isParts(rule: ChangeRule | undefined): rule is { readonly parts: Readonly<Record<string, ChangeRule>> } {
  return typeof rule === "object" && "parts" in rule;
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
