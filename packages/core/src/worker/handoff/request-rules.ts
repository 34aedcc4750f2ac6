import type { IncomingMessage } from "node:http";
import type { FieldRules } from "../../options/header-options.ts";

/** Of these Node shows the first of several (`_http_incoming.js`); those of Cookie it joins otherwise than the rest. */
const single: ReadonlySet<string> = new Set([
  ...["age", "authorization", "content-type", "etag", "expires", "from", "if-modified-since", "if-unmodified-since"],
  ...["last-modified", "location", "max-forwards", "referer", "retry-after", "server", "user-agent"],
]);

/** Does to a request that Node has read what the relay of proxy mode does to its lines. */
export function applyRequestRules({ rawHeaders, headers, headersDistinct }: IncomingMessage, rules: FieldRules): void {
  const { dropped, fields } = rules;
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!dropped.includes(rawHeaders[index]!.toLowerCase())) kept.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  rawHeaders.splice(0, rawHeaders.length, ...kept, ...fields);
  for (const name of dropped) {
    delete headers[name];
    delete headersDistinct[name];
  }
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    const value = fields[index + 1]!;
    const before = headers[name];
    headersDistinct[name] = [...(headersDistinct[name] ?? []), value];
    if (before === undefined) headers[name] = value;
    else if (!single.has(name)) headers[name] = `${before}${name === "cookie" ? "; " : ", "}${value}`;
  }
}
