import { covers, type RouteRule } from "./route-rule.ts";
import { RuleIndex } from "./rule-index.ts";

/** A rule that no request gets to. */
export interface Unreachable {
  readonly number: number;
  /** The rule before it that takes all of its requests. */
  readonly behind: number;
}

export interface ListedRule {
  readonly rule: RouteRule;
  /** Not all that fits it is taken: something may be left for those behind. */
  readonly leaves?: boolean;
}

/** The first rule that one before it leaves nothing to; undefined: each of them may get something. */
export function unreachableRule(rules: readonly ListedRule[]): Unreachable | undefined {
  const before = new RuleIndex();
  for (const [number, { rule, leaves }] of rules.entries()) {
    const behind = before.candidates(rule).find((candidate) => covers(rules[candidate]!.rule, rule));
    if (behind !== undefined) return { number, behind };
    if (leaves !== true) before.add(rule, number);
  }
  return undefined;
}
