import type { DownstreamOptions } from "../http/downstream.ts";
import {
  connectionField,
  contentLengthField,
  hopByHopField,
  proxyConnectionField,
  teField,
  trailerField,
  transferEncodingField,
  upgradeField,
} from "../http/field-kind.ts";
import { type FieldSection, lineStride } from "../http/field-section.ts";
import { isNamedIn } from "../http/line-rewriting.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { HpackEncoder } from "./hpack/encoder.ts";

/** Serves one block after the other, each written and taken without a pause. */
const encoder = new HpackEncoder();

/**
 * A head of HTTP/1.1 as a header block: without what concerns one connection, and as the options say.
 * A 101 is the 200 of an extended CONNECT (RFC 8441 §5).
 */
export function responseBlock(
  head: ResponseHead,
  { extra, dropped }: Pick<DownstreamOptions, "extra" | "dropped">,
): Buffer {
  const last = head.relayedOver2;
  if (last?.extra === extra && last.dropped === dropped) return last.block;
  const { section } = head.fields;
  encoder.status(head.status === 101 ? 200 : head.status);
  for (let index = 0; index < section.lines.length; index += lineStride) {
    if (!passes(head, section, index) || (head.status >= 200 && isNamedIn(section, index, dropped))) continue;
    const name = section.text.substring(section.lines[index]!, section.lines[index + 1]!);
    encoder.field(name.toLowerCase(), section.value(index));
  }
  encodeLines(extra);
  const block = encoder.take();
  head.relayedOver2 = { dropped, extra, block };
  return block;
}

/** An answer of our own. `lines` each end in CRLF. */
export function answerBlock(status: number, lines: string): Buffer {
  encoder.status(status);
  encodeLines(lines);
  return encoder.take();
}

/** Complete lines, each ending in CRLF, as trailers. */
export function trailerBlock(lines: string): Buffer {
  encodeLines(lines);
  return encoder.take();
}

function encodeLines(lines: string): void {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf("\r\n", start);
    const colon = lines.indexOf(":", start);
    encoder.field(lines.substring(start, colon).toLowerCase(), lines.substring(colon + 1, end).trim());
    start = end + 2;
  }
}

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
      return head.status >= 200 && head.status !== 204;
    case trailerField:
      return head.framing.kind === "chunked";
    default:
      if (head.status === 101 && section.isNamed(index, "sec-websocket-accept")) return false;
      return !isNamedIn(section, index, head.fields.connection.nominated);
  }
}
