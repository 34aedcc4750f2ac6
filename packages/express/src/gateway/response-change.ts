import { STATUS_CODES } from "node:http";
import { Readable } from "node:stream";
import { GatewayError } from "../errors.ts";
import { isFieldName, isFieldValue } from "../header-fields.ts";
import { ContentCoding } from "./content-coding.ts";
import type { HeaderFields } from "./header-options.ts";
import type { ClientHead } from "./response-head.ts";
import type { ResponseChange } from "./response-options.ts";

/** Fields that say something of the very bytes that a body had, or of parts of it. */
const ofTheBytes = new Set([
  "content-length",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "accept-ranges",
  "content-range",
  "trailer",
]);

export interface ChangedResponse {
  readonly head: ClientHead;
  /** In place of the endpoint's; undefined: that stays. */
  readonly body: Buffer | Readable | undefined;
}

/**
 * A response as `onResponse` has it. `method`: of the request, whose response may be one without a body.
 *
 * @throws GatewayError, rejects with one: `LB_RULE` for what no response can be
 */
export async function changedResponse(
  head: ClientHead,
  change: ResponseChange,
  method: string,
): Promise<ChangedResponse> {
  const { status = head.status, body } = checked(change);
  const statusText = status === head.status ? head.statusText : (STATUS_CODES[status] ?? "");
  const fields = withChanges(head.fields, change.headers ?? {});
  if (body === undefined) return { head: { status, statusText, fields }, body };
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  const own = fieldsOfNewBody(fields, typeof body === "string");
  const coding = new ContentCoding(fieldIn(own, "content-encoding"));
  if (body instanceof Readable) {
    if (isEmpty) body.destroy();
    return { head: { status, statusText, fields: own }, body: isEmpty ? nothing : coding.encoded(body) };
  }
  const bytes = await coding.encode(Buffer.from(body as Buffer));
  const lengthFields = status === 204 || status === 304 ? [] : ["Content-Length", String(bytes.length)];
  return { head: { status, statusText, fields: [...own, ...lengthFields] }, body: isEmpty ? nothing : bytes };
}

const nothing = Buffer.alloc(0);

function checked(change: ResponseChange): ResponseChange {
  const wrong = (remedy: string) =>
    new GatewayError(
      "LB_RULE",
      `The function in the option "onResponse" returned what is no change of a response: ${remedy}`,
    );
  if (typeof change !== "object" || change === null)
    throw wrong('return { status, headers, body } or parts of it, "next" or undefined');
  const { status, body, headers = {} } = change;
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 999))
    throw wrong("a status is a number from 200 on");
  if (!(body === undefined || typeof body === "string" || body instanceof Uint8Array || body instanceof Readable)) {
    throw wrong("a body is a text, bytes or a stream");
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!isFieldName(name) || ![value ?? []].flat().every(isFieldValue))
      throw wrong(`the header ${JSON.stringify(name)} cannot be`);
  }
  return change;
}

function withChanges(fields: readonly string[], changes: HeaderFields): readonly string[] {
  const names = new Set(Object.keys(changes).map((name) => name.toLowerCase()));
  if (names.size === 0) return fields;
  const added = Object.entries(changes).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((line) => [name, line]),
  );
  return [...fields.filter((_, index) => !names.has(fields[index & ~1]!.toLowerCase())), ...added];
}

/** A validator of the endpoint's is one of what was made of it too, but not byte for byte (RFC 9110 §8.8.1). */
function fieldsOfNewBody(fields: readonly string[], isText: boolean): readonly string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [name, value] = [fields[index]!, fields[index + 1]!];
    const lower = name.toLowerCase();
    if (ofTheBytes.has(lower)) continue;
    if (lower === "etag" && value.startsWith('"')) kept.push(name, `W/${value}`);
    else if (lower === "content-type" && isText)
      kept.push(name, value.replace(/(;\s*charset\s*=\s*)("[^"]*"|[^;\s]*)/i, "$1utf-8"));
    else kept.push(name, value);
  }
  return kept;
}

function fieldIn(fields: readonly string[], wanted: string): string | undefined {
  const values = fields.filter((_, index) => index % 2 === 1 && fields[index - 1]!.toLowerCase() === wanted);
  return values.length === 0 ? undefined : values.join(", ");
}
