import type { DownstreamOptions } from "./downstream.ts";
import {
  connectionField,
  contentLengthField,
  hopByHopField,
  proxyConnectionField,
  teField,
  trailerField,
  transferEncodingField,
  upgradeField,
} from "./field-kind.ts";
import { type FieldSection, lineStride } from "./field-section.ts";
import { isNamedIn } from "./line-rewriting.ts";
import type { ResponseHead } from "./response-head.ts";

/** Name, value, name, value …: `:status` first, and names in lower case, as HTTP/2 wants them (RFC 9113 §8.2). */
export type Http2Fields = readonly string[];

/**
 * A head of HTTP/1.1 as one of HTTP/2: without what concerns one connection, and as the options say; what they
 * drop is the same for all responses of a front.
 * A 101 is the 200 of an extended CONNECT (RFC 8441 §5).
 */
export function http2ResponseFields(
  head: ResponseHead,
  { extra, dropped }: Pick<DownstreamOptions, "extra" | "dropped">,
): Http2Fields {
  const last = head.relayedOver2;
  if (last?.extra === extra) return last.fields;
  const status = head.status === 101 ? 200 : head.status;
  const fields = [":status", `${status}`];
  const { section } = head.fields;
  for (let index = 0; index < section.lines.length; index += lineStride) {
    if (passes(head, section, index) && !(head.status >= 200 && isNamedIn(section, index, dropped))) {
      const name = section.text.substring(section.lines[index]!, section.lines[index + 1]!).toLowerCase();
      addField(fields, name, section.value(index));
    }
  }
  addLines(fields, extra);
  head.relayedOver2 = { extra, fields };
  return fields;
}

/** Complete lines, each ending in CRLF, as fields. */
export function http2FieldsOf(lines: string): string[] {
  const fields: string[] = [];
  addLines(fields, lines);
  return fields;
}

function addLines(fields: string[], lines: string): void {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf("\r\n", start);
    const colon = lines.indexOf(":", start);
    addField(fields, lines.substring(start, colon).toLowerCase(), lines.substring(colon + 1, end).trim());
    start = end + 2;
  }
}

function addField(fields: string[], name: string, value: string): void {
  if (singleValued.has(name)) {
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at] !== name) continue;
      if (lists.has(name)) fields[at + 1] += `, ${value}`;
      return;
    }
  }
  fields.push(name, value);
}

/**
 * Of those, Node 22 throws at a second one, whatever it is told: the first counts, as it does for most clients. The names
 * are those of `kSingleValueHeaders` in Node's lib/internal/http2/util.js.
 */
const singleValued: ReadonlySet<string> = new Set(
  (
    "access-control-allow-credentials access-control-max-age access-control-request-method age authorization " +
    "content-encoding content-language content-length content-location content-md5 content-range content-type date dnt " +
    "etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location " +
    "max-forwards proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent " +
    "x-content-type-options"
  ).split(" "),
);
/** Lists all the same (RFC 9110 §8.4, §8.5): what is in several lines means what it does in one. */
const lists: ReadonlySet<string> = new Set(["content-encoding", "content-language"]);

function passes(head: ResponseHead, section: FieldSection, index: number): boolean {
  switch (section.lines[index + 2]) {
    case connectionField:
    case teField:
    case hopByHopField:
    case proxyConnectionField:
    case transferEncodingField:
    case upgradeField:
      return false;
    case contentLengthField:
      // Node ends a 205 with its head, so that a length other than 0 would make it malformed.
      return head.status >= 200 && head.status !== 204 && head.status !== 205;
    case trailerField:
      return head.framing.kind === "chunked";
    default:
      if (head.status === 101 && section.isNamed(index, "sec-websocket-accept")) return false;
      return !isNamedIn(section, index, head.fields.connection.nominated);
  }
}
