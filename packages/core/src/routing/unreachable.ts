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
    for (let behind = 0; behind < number; behind += 1) {
      if (covers(rules[behind]!, rule)) return { number, behind };
    }
  }
  return undefined;
}
