import type { Span, SpanAttributes, SpanKind } from "../model/span.ts";

// OTLP 1.x as JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hexadecimal, 64-bit numbers as text. Written as
// text at once: objects that are made for `JSON.stringify` cost three times as much.

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
/** Of `flags`: sampled, and whether it is known that the parent is another program's, and that it is. */
const flagsOf = { local: 0x101, entry: 0x301 };

/** One span, as it stands among those of a message. */
export function otlpSpan(span: Span): string {
  const { traceId, spanId, parentId, isEntry, kind, name, startMs, endMs, attributes } = span;
  const parent = parentId === undefined ? "" : `"parentSpanId":"${parentId}",`;
  const flags = isEntry === true ? flagsOf.entry : flagsOf.local;
  const times = `"startTimeUnixNano":"${nanoseconds(startMs)}","endTimeUnixNano":"${nanoseconds(Math.max(startMs, endMs))}"`;
  const status = span.failed ? '{"code":2}' : "{}";
  return `{"traceId":"${traceId}","spanId":"${spanId}",${parent}"flags":${flags},"name":${JSON.stringify(name)},"kind":${kinds[kind]},${times},"attributes":${otlpAttributes(attributes)},"status":${status}}`;
}

/** A whole message, of spans that are written already. */
export function otlpMessage(
  resource: SpanAttributes,
  scope: { readonly name: string; readonly version: string },
  spans: readonly string[],
): string {
  const head = `{"attributes":${otlpAttributes(resource)}}`;
  return `{"resourceSpans":[{"resource":${head},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[${spans.join(",")}]}]}]}`;
}

function otlpAttributes(attributes: SpanAttributes): string {
  let text = "";
  for (const key in attributes) text += `,{"key":"${key}","value":${otlpValue(attributes[key]!)}}`;
  return `[${text.slice(1)}]`;
}

function otlpValue(value: string | number | boolean): string {
  if (typeof value === "string") return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === "boolean") return `{"boolValue":${value}}`;
  return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** Of milliseconds: as a number they would not be exact. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1_000_000)).padStart(6, "0")}`;
}
