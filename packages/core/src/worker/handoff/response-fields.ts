import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ResponseRules } from "../../http/response-rules.ts";

/** What is to become of a response's fields when its head is written, beside what its app has set by then in whichever way it does that. */
interface HeadPlan {
  rules: { readonly of: ResponseRules; readonly encrypted: boolean } | undefined;
  /** It is none of the app's, whose fields the rules are for. */
  isOurs: boolean;
  /** Added: name, value, name, value … */
  fields: readonly string[];
}

const plan = Symbol("lb.head");
type PlannedResponse = ServerResponse & { [plan]?: HeadPlan };

/** Adds fields (name, value, name, value …), which no rule is for. */
export function addFields(response: ServerResponse, fields: readonly string[]): void {
  planOf(response).fields = fields;
}

export function applyRules(response: ServerResponse, rules: ResponseRules, encrypted: boolean): void {
  planOf(response).rules = { of: rules, encrypted };
}

/** The answer is one of our own. */
export function noteOurs(response: PlannedResponse): void {
  if (response[plan] !== undefined) response[plan].isOurs = true;
}

/** As `addFields`, for a head that is about to be written with these: what is to be given to `writeHead`. */
export function withFields(response: PlannedResponse, given: readonly string[], fields: readonly string[]): string[] {
  if (response[plan] === undefined) return [...given, ...fields];
  response[plan].fields = fields;
  return [...given];
}

function planOf(response: PlannedResponse): HeadPlan {
  if (response[plan] !== undefined) return response[plan];
  const made: HeadPlan = { rules: undefined, isOurs: false, fields: [] };
  response[plan] = made;
  const writeHead = response.writeHead;
  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
    // Once; what is written is what this call makes of it.
    response.writeHead = writeHead;
    const reason = typeof rest[0] === "string" ? rest[0] : undefined;
    const given = rest[reason === undefined ? 0 : 1] ?? rest[1];
    setGiven(response, given as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined);
    carryOut(response, made);
    return Reflect.apply(writeHead, this, reason === undefined ? [status] : [status, reason]) as ServerResponse;
  } as ServerResponse["writeHead"];
  return made;
}

function carryOut(response: ServerResponse, { rules, isOurs, fields }: HeadPlan): void {
  if (rules !== undefined) {
    const { of, encrypted } = rules;
    if (!isOurs) for (const name of of.dropped) response.removeHeader(name);
    append(response, isOurs ? of.ownFields(encrypted) : of.fieldsFor((name) => response.hasHeader(name), encrypted));
  }
  append(response, fields);
}

function append(response: ServerResponse, fields: readonly string[]): void {
  for (let index = 0; index + 1 < fields.length; index += 2) response.appendHeader(fields[index]!, fields[index + 1]!);
}

/** The headers that `writeHead` was given, set as it would: they replace those of the same name set before. */
function setGiven(response: ServerResponse, given: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const flat = given.flat();
  const names = new Set(flat.filter((_, index) => index % 2 === 0).map((name) => String(name).toLowerCase()));
  for (const name of names) response.removeHeader(name);
  for (let index = 0; index + 1 < flat.length; index += 2) {
    response.appendHeader(String(flat[index]), String(flat[index + 1]));
  }
}
