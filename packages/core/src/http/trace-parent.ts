/** What a `traceparent` says (W3C Trace Context, https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** As it came: what is passed on unchanged. */
  readonly text: string;
}

/** A later version may have more behind it, and means the same by the beginning. */
const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const maxLength = 512;

/** Undefined: there is none, or it is none, of which nothing is to be believed. Several lines, joined, are none. */
export function parseTraceParent(value: string | undefined): TraceParent | undefined {
  if (value === undefined || value.length > maxLength) return undefined;
  const [, version, traceId, spanId, flags, more] = form.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return {
    traceId: traceId!,
    spanId: spanId!,
    sampled: (Number.parseInt(flags!, 16) & 1) === 1,
    // We know no other version, so that is what we write.
    text: version === "00" ? value : `00-${traceId}-${spanId}-${flags}`,
  };
}

export function traceParent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

const noIds = { traceId: undefined, spanId: undefined };

/** The ids in one that is valid, at `from` of a text. Of an empty one: none. */
export function idsIn(
  text: string,
  from = 0,
): { readonly traceId: string | undefined; readonly spanId: string | undefined } {
  if (text === "") return noIds;
  return { traceId: text.slice(from + 3, from + 35), spanId: text.slice(from + 36, from + 52) };
}
