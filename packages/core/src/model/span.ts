/** Of OpenTelemetry's kinds those that we make. */
export type SpanKind = "internal" | "server" | "client";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A part of a trace: something that took time on behalf of a request. Plain JSON. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: the trace begins with it. */
  readonly parentId?: string | undefined;
  /** The parent is a span of somebody else's. */
  readonly isEntry?: boolean;
  readonly kind: SpanKind;
  readonly name: string;
  /** Milliseconds, with fractions, since 1970-01-01 UTC; of one that a worker tells, by the machine's clock since it started. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** What it came to was an error. */
  readonly failed: boolean;
}
