import type { ServerResponse } from "node:http";
import { endsHere, nominatedBy } from "@lb/core/kit";
import type { UpstreamAnswer } from "./attempt.ts";
import { applyRules } from "./header-rules.ts";
import type { HeaderRuleList } from "./options.ts";

export interface ResponseHeadOptions {
  readonly rules: HeaderRuleList;
  /** Fields of our own: name, value, name, value. */
  readonly ownFields: readonly string[];
}

/**
 * Gives `response` the head of an endpoint's answer, names as the endpoint wrote them. Fields that end here are left out;
 * what the app has set before is replaced, but for cookies, which are added to one another.
 *
 * @throws GatewayError `LB_RULE` for a rule that cannot be applied, and what Node throws for a head that it cannot send
 */
export function writeHead(
  response: ServerResponse,
  answer: UpstreamAnswer,
  { rules, ownFields }: ResponseHeadOptions,
): void {
  const fields = [...passedOn(answer), ...ownFields];
  if (response.getHeaderNames().length === 0 && rules.length === 0) {
    response.writeHead(answer.status, answer.statusText, fields);
    return;
  }
  try {
    merge(response, fields);
    applyTo(response, rules);
    response.writeHead(answer.status, answer.statusText);
  } catch (error) {
    // What is said in its place is not the endpoint's.
    if (!response.headersSent) for (const name of response.getHeaderNames()) response.removeHeader(name);
    throw error;
  }
}

function applyTo(response: ServerResponse, rules: HeaderRuleList): void {
  const ruled = Object.fromEntries(rules.map(([name]) => [name, response.getHeader(name)]));
  applyRules(ruled, rules, response.req);
  for (const [name] of rules) {
    const value = ruled[name];
    if (value === undefined) response.removeHeader(name);
    else response.setHeader(name, value);
  }
}

function passedOn({ fields, headers }: UpstreamAnswer): string[] {
  const nominated = nominatedBy(headers.connection);
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    if (!endsHere(name) && nominated?.includes(name) !== true) kept.push(fields[index]!, fields[index + 1]!);
  }
  return kept;
}

function merge(response: ServerResponse, fields: readonly string[]): void {
  const seen = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const lower = name.toLowerCase();
    if (lower === "set-cookie" || seen.has(lower)) response.appendHeader(name, fields[index + 1]!);
    else response.setHeader(name, fields[index + 1]!);
    seen.add(lower);
  }
}

/** Fields that decide where a message ends, or where it goes, cannot come behind it (RFC 9110 §6.5.1). */
export function mayTrail([name]: readonly [string, string]): boolean {
  const lower = name.toLowerCase();
  return !endsHere(lower) && !["content-length", "host", "trailer", "set-cookie"].includes(lower);
}

/** Name, value, name, value as pairs. */
export function pairsOf(fields: readonly string[]): [string, string][] {
  return Array.from({ length: fields.length >> 1 }, (_, index) => [fields[index * 2]!, fields[index * 2 + 1]!]);
}
