import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { endsHere, nominatedBy } from "@lb/core/kit";
import { after } from "./after.ts";
import type { UpstreamAnswer } from "./attempt.ts";
import { isHttp2 } from "./client-message.ts";
import type { ClientPlace } from "./client-place.ts";
import type { ParsedHeaderRules } from "./header-options.ts";
import { ruled } from "./header-rules.ts";

/** The head that a client gets of an endpoint's answer. */
export interface ClientHead {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value; names as the endpoint wrote them. */
  readonly fields: readonly string[];
  /** Lower-case names of which what the app has set for the response does not count. */
  readonly replaced?: readonly string[];
}

export interface ClientHeadOptions {
  readonly place: ClientPlace;
  /** Fields of our own: name, value, name, value. */
  readonly ownFields: readonly string[];
}

/** Fields that end here are left out, and those that name places name them as the client finds them. */
export function clientHead(answer: UpstreamAnswer, { place, ownFields }: ClientHeadOptions): ClientHead {
  const { status, statusText, fields, headers } = answer;
  const nominated = nominatedBy(headers.connection);
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    if (endsHere(name) || nominated?.includes(name) === true) continue;
    kept.push(fields[index]!, place.rewrite(name, fields[index + 1]!));
  }
  kept.push(...ownFields);
  return { status, statusText, fields: kept };
}

export interface HeadRules {
  readonly rules: ParsedHeaderRules;
  /** What the functions in them get. */
  readonly request: unknown;
}

/**
 * A head as rules have it, which see what the app has set for the response too. Touches nothing of `response`.
 *
 * @throws GatewayError `LB_RULE` for a rule that cannot be applied, with which a promise rejects too
 */
export function ruledHead(
  response: ServerResponse,
  head: ClientHead,
  { rules, request }: HeadRules,
): ClientHead | PromiseLike<ClientHead> {
  const named = typeof rules === "function" ? undefined : new Set(rules.map(([name]) => name));
  if (named?.size === 0) return head;
  const isRuled = (name: string) => named?.has(name) !== false;
  const before: OutgoingHttpHeaders = Object.create(null);
  for (const name of response.getHeaderNames()) if (isRuled(name)) before[name] = response.getHeader(name);
  const [concerned, others] = parted(head.fields, isRuled);
  const given = new Set<string>();
  for (const [name, value] of concerned) {
    const known = name === "set-cookie" || given.has(name) ? before[name] : undefined;
    before[name] = known === undefined ? value : [known as string | string[], value].flat();
    given.add(name);
  }
  return after(ruled(before, rules, request), (made) => ({
    ...head,
    replaced: named === undefined ? response.getHeaderNames() : [...named],
    fields: [
      ...others,
      ...Object.entries(made).flatMap(([name, value]) => [value ?? []].flat().flatMap((line) => [name, String(line)])),
    ],
  }));
}

/** The lower-case names and values of those that a test is true for, and the others, name, value, name, value. */
function parted(fields: readonly string[], test: (name: string) => boolean) {
  const concerned: [string, string][] = [];
  const others: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    if (test(name)) concerned.push([name, fields[index + 1]!]);
    else others.push(fields[index]!, fields[index + 1]!);
  }
  return [concerned, others] as const;
}

/**
 * Gives `response` a head. What the app has set before is replaced, but for cookies, which are added to one another.
 *
 * @throws what Node throws for a head that it cannot send
 */
export function writeHead(
  response: ServerResponse,
  { status, statusText, fields, replaced = nothing }: ClientHead,
): void {
  const http2 = isHttp2(response.req);
  if (!http2 && response.getHeaderNames().length === 0) {
    response.writeHead(status, statusText, fields as string[]);
    return;
  }
  try {
    for (const name of replaced) response.removeHeader(name);
    merge(response, fields);
    // HTTP/2 has no words for a status.
    if (http2) response.writeHead(status);
    else response.writeHead(status, statusText);
  } catch (error) {
    // What is said in its place is not the endpoint's.
    if (!response.headersSent) for (const name of response.getHeaderNames()) response.removeHeader(name);
    throw error;
  }
}

const nothing: readonly string[] = Object.freeze([]);

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
