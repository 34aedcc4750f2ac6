import { covers, type RouteRule } from "./route-rule.ts";

/** A rule that no request gets to. */
export interface Unreachable {
  readonly number: number;
  /** The rule before it that takes all of its requests. */
  readonly behind: number;
}

/** The first rule that one before it leaves nothing to; undefined: each of them may get something. */
export function unreachableRule(rules: readonly RouteRule[]): Unreachable | undefined {
  for (const [number, rule] of rules.entries()) {
    const behind = rules.slice(0, number).findIndex((before) => covers(before, rule));
    if (behind !== -1) return { number, behind };
  }
  return undefined;
}
