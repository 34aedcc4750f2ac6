import { shortField } from "../access-log/escaping.ts";
import { redactor } from "../access-log/redaction.ts";
import type { FinishedRequest, TrafficObserver } from "../front/traffic-observer.ts";
import type { SampledTrace } from "../http/trace-contexts.ts";
import { newSpanId } from "../http/trace-ids.ts";
import type { SharedTime } from "../model/shared-time.ts";
import type { Span } from "../model/span.ts";
import { attemptSpan, queueSpan, serverSpan } from "../tracing/request-spans.ts";
import { endpointNames, noEndpoint } from "./endpoint-names.ts";

export interface TraceObserverOptions {
  readonly time: SharedTime;
  /** Query parameters whose values are not told. */
  readonly redact: readonly string[];
  readonly add: (span: Span) => void;
}

/** Makes spans of each request that is sampled, once it is over. */
export function traceObserver({ time, redact, add }: TraceObserverOptions): TrafficObserver {
  const shown = redactor(redact) ?? ((url: string) => url);

  const addParts = (finished: FinishedRequest, trace: SampledTrace, startMs: number) => {
    const { request, queuedMs, tries = [], status, endedMs } = finished;
    if (queuedMs > 0) {
      // It may have waited for others of its route, and for an endpoint: in front of the first, as a rule.
      add(queueSpan({ trace, spanId: newSpanId(), startMs, endMs: startMs + queuedMs }));
    }
    for (const [resent, { endpoint, spanId, startedMs, failedMs, cause }] of tries.entries()) {
      add(
        attemptSpan({
          trace,
          spanId,
          startMs: startMs + startedMs,
          endMs: startMs + (failedMs ?? endedMs),
          method: request.method,
          address: endpoint.address,
          resent,
          names: endpointNames(endpoint),
          // A failed one may have been a response, too.
          status:
            typeof cause === "number"
              ? cause
              : finished.answeredBy === "app" && cause === undefined
                ? status
                : undefined,
          cause: cause === undefined ? (finished.end === "cut" ? "cut" : undefined) : String(cause),
        }),
      );
    }
  };

  return {
    requestFinished(finished) {
      const { request, client, endpoint } = finished;
      const trace = request.sampled;
      if (trace === undefined) return;
      const startMs = time.wall(time.now() - finished.endedMs);
      addParts(finished, trace, startMs);
      add(
        serverSpan(
          {
            time: startMs,
            totalMs: finished.endedMs,
            id: request.id === "" ? undefined : request.id,
            client: request.clientAddress,
            tls: client.encrypted,
            method: request.method,
            host: request.host,
            target: shown(request.target),
            protocol: client.http2 === true ? "HTTP/2.0" : request.minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1",
            status: finished.status,
            attempts: finished.attempts,
            ...(endpoint === undefined ? noEndpoint : endpointNames(endpoint)),
            route: request.route === "" ? undefined : request.route,
            answeredBy: finished.answeredBy,
            end: finished.end,
            userAgent: shortField(request.header("user-agent")),
          },
          trace,
        ),
      );
    },
  };
}
