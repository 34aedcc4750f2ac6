import type { Span, SpanAttributes, SpanKind } from "../model/span.ts";

/** In one message. */
const maxSpans = 2_000;
const maxAttributes = 64;
const maxTextLength = 65_536;
const kinds: readonly SpanKind[] = ["internal", "server", "client"];

/** What a worker says are spans. Undefined: not all of them are. */
export function readSpans(raw: unknown): readonly Span[] | undefined {
  if (!Array.isArray(raw) || raw.length > maxSpans) return undefined;
  const spans = raw.map(spanOf);
  return spans.every((one) => one !== undefined) ? spans : undefined;
}

function spanOf(raw: unknown): Span | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { traceId, spanId, parentId, isEntry, kind, name, startMs, endMs, attributes, failed } = raw as {
    readonly [Key in keyof Span]?: unknown;
  };
  if (!isId(traceId, 32) || !isId(spanId, 16) || (parentId !== undefined && !isId(parentId, 16))) return undefined;
  if (!kinds.includes(kind as SpanKind) || typeof failed !== "boolean" || !isText(name)) return undefined;
  if (!isTime(startMs) || !isTime(endMs) || !isAttributes(attributes)) return undefined;
  const span = { traceId, spanId, kind: kind as SpanKind, name, startMs, endMs, attributes, failed };
  return { ...span, ...(parentId !== undefined && { parentId }), ...(isEntry === true && { isEntry }) };
}

function isId(value: unknown, digits: 16 | 32): value is string {
  return typeof value === "string" && value.length === digits && /^[\da-f]+$/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxTextLength;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isAttributes(raw: unknown): raw is SpanAttributes {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return false;
  const entries = Object.entries(raw);
  if (entries.length > maxAttributes) return false;
  return entries.every(
    ([key, value]) =>
      /^[\w.]{1,64}$/.test(key) &&
      (isText(value) || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))),
  );
}
