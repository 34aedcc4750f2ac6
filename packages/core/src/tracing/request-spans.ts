import { normaliseAddress } from "../http/address.ts";
import type { SampledTrace } from "../http/trace-contexts.ts";
import type { AccessRecord } from "../model/access-record.ts";
import type { Address } from "../model/endpoint.ts";
import { isServerError } from "../model/failure-conditions.ts";
import type { Span, SpanAttributes } from "../model/span.ts";

// Names are OpenTelemetry's semantic conventions for HTTP 1.x where they have one; `lb.` is ours.

/** A request that is over, as far as a span tells of it. `time`: when it began, by the clock of the spans. */
export type TracedRequest = Pick<
  AccessRecord,
  | "time"
  | "id"
  | "client"
  | "tls"
  | "method"
  | "host"
  | "target"
  | "protocol"
  | "status"
  | "attempts"
  | "instance"
  | "endpoint"
  | "backend"
  | "route"
  | "answeredBy"
  | "end"
  | "userAgent"
> & { readonly totalMs: number };

/** The whole of a request, as its client saw it. */
export function serverSpan(request: TracedRequest, { traceId, spanId, parentId }: SampledTrace): Span {
  const { time, totalMs, method = "HTTP", status, end, route } = request;
  const failed = end === "cut" || (status !== undefined && isServerError(status));
  return {
    traceId,
    spanId,
    parentId,
    isEntry: true,
    kind: "server",
    name: route === undefined ? method : `${method} ${route}`,
    startMs: time,
    endMs: time + totalMs,
    attributes: defined({
      "http.request.method": method,
      "http.response.status_code": status,
      "http.route": route,
      ...targetAttributes(request.target),
      "url.scheme": request.tls ? "https" : "http",
      ...hostAttributes(request.host),
      "client.address": request.client === "" ? undefined : normaliseAddress(request.client),
      "network.protocol.name": "http",
      "network.protocol.version": versions[request.protocol ?? "HTTP/1.1"],
      "user_agent.original": request.userAgent,
      "error.type": failed ? (end === "cut" ? end : String(status)) : undefined,
      "lb.answered_by": request.answeredBy,
      "lb.end": end,
      "lb.attempts": request.attempts,
      "lb.instance": request.instance,
      "lb.endpoint": request.endpoint,
      "lb.backend": request.backend,
      "lb.request_id": request.id,
    }),
    failed,
  };
}

/** Of one request: a part of its time, from and to when. */
export interface TracedPart {
  readonly trace: SampledTrace;
  readonly spanId: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** It waited for an instance, or for others of its route to end. */
export function queueSpan({ trace, spanId, startMs, endMs }: TracedPart): Span {
  const { traceId, spanId: parentId } = trace;
  return { traceId, spanId, parentId, kind: "internal", name: "queue", startMs, endMs, attributes: {}, failed: false };
}

export interface TracedAttempt extends TracedPart {
  readonly method: string;
  readonly address: Address;
  /** How many were before it. */
  readonly resent: number;
  readonly names: Pick<AccessRecord, "instance" | "endpoint" | "backend">;
  /** Of the response that was passed on. Undefined: it came to nothing. */
  readonly status: number | undefined;
  /** Why it came to nothing. */
  readonly cause: string | undefined;
}

/** One endpoint was asked. What the endpoint knows of as its parent is this. */
export function attemptSpan(attempt: TracedAttempt): Span {
  const { trace, spanId, startMs, endMs, method, address, resent, names, status, cause } = attempt;
  const errorType = cause ?? (status !== undefined && isServerError(status) ? String(status) : undefined);
  return {
    traceId: trace.traceId,
    spanId,
    parentId: trace.spanId,
    kind: "client",
    name: method,
    startMs,
    endMs,
    attributes: defined({
      "http.request.method": method,
      "http.response.status_code": status,
      "http.request.resend_count": resent === 0 ? undefined : resent,
      "server.address": address.kind === "unix" ? address.path : address.host,
      "server.port": address.kind === "unix" ? undefined : address.port,
      "network.transport": address.kind === "unix" ? "unix" : "tcp",
      "error.type": errorType,
      "lb.instance": names.instance,
      "lb.endpoint": names.endpoint,
      "lb.backend": names.backend,
    }),
    failed: errorType !== undefined,
  };
}

export interface TracedHandler {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly instance: number;
  readonly status: number;
  /** The response is whole. */
  readonly complete: boolean;
}

/** The app had the request, from its head to the end of its response. */
export function handlerSpan({ instance, status, complete, ...span }: TracedHandler): Span {
  const failed = isServerError(status);
  return {
    ...span,
    kind: "internal",
    name: "handler",
    attributes: defined({
      "http.response.status_code": status,
      "error.type": failed ? String(status) : undefined,
      "lb.instance": instance,
      "lb.complete": complete,
    }),
    failed,
  };
}

const versions = { "HTTP/1.0": "1.0", "HTTP/1.1": "1.1", "HTTP/2.0": "2" } as const;

function targetAttributes(target = ""): Readonly<Record<string, string | undefined>> {
  const at = target.indexOf("?");
  return at === -1
    ? { "url.path": target }
    : { "url.path": target.slice(0, at), "url.query": at + 1 === target.length ? undefined : target.slice(at + 1) };
}

function hostAttributes(host = ""): Readonly<Record<string, string | number | undefined>> {
  const [, name = host, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(host) ?? [];
  return name === "" ? {} : { "server.address": name, "server.port": port === undefined ? undefined : Number(port) };
}

function defined(given: Readonly<Record<string, string | number | boolean | undefined>>): SpanAttributes {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as SpanAttributes;
}
