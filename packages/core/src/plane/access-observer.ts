import type { AccessLog } from "../access-log/access-log.ts";
import { shortField } from "../access-log/escaping.ts";
import { redactor } from "../access-log/redaction.ts";
import { isTold } from "../access-log/sampling.ts";
import type { FinishedRequest, ObservedClient, TrafficObserver } from "../front/traffic-observer.ts";
import type { AnswerReason } from "../http/answer-reason.ts";
import type { LoggedFields } from "../http/request-fields.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { AccessRecord } from "../model/access-record.ts";
import type { WallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { AccessLogSettings } from "../options/access-log-options.ts";
import { type EndpointNames, endpointNames, noEndpoint } from "./endpoint-names.ts";

export interface AccessObserverOptions {
  readonly log: AccessLog;
  readonly settings: AccessLogSettings;
  readonly wallClock: WallClock;
  readonly random: Random;
}

/** For so long the wall clock is taken to be as far from the other as it was. */
const sameOffsetMs = 1_000;

/** Makes a record of each request that ends, and of what came in place of one, and gives it to the access log. */
export function accessObserver({ log, settings, wallClock, random }: AccessObserverOptions): TrafficObserver {
  const redact = redactor(settings.redact) ?? ((url: string) => url);
  const names = new WeakMap<Endpoint, EndpointNames>();
  const namesOf = (endpoint: Endpoint) => {
    let known = names.get(endpoint);
    if (known === undefined) {
      known = endpointNames(endpoint);
      names.set(endpoint, known);
    }
    return known;
  };
  const loggedOf = (request: RequestHead): LoggedFields => {
    const referer = shortField(request.header("referer"));
    return {
      referer: referer === undefined ? undefined : redact(referer),
      userAgent: shortField(request.header("user-agent")),
    };
  };
  // Asking the system for the time takes as long as half a line, and requests have theirs by a clock of their own.
  let offset = 0;
  let offsetUntil = Number.NEGATIVE_INFINITY;
  return {
    requestFinished(finished: FinishedRequest) {
      if (!isTold(finished, settings, random)) return;
      const { status, end, endpoint } = finished;
      const { client, request, queuedMs, startedAt, endedMs } = finished;
      if (startedAt + endedMs > offsetUntil) {
        offset = wallClock() - startedAt - endedMs;
        offsetUntil = startedAt + endedMs + sameOffsetMs;
      }
      request.fields.logged ??= loggedOf(request);
      const { referer, userAgent } = request.fields.logged;
      const { traceId, spanId } = request.traceIds;
      const { instance, endpoint: url, backend } = endpoint === undefined ? noEndpoint : namesOf(endpoint);
      log.add({
        time: startedAt + offset,
        id: request.id === "" ? undefined : request.id,
        traceId,
        spanId,
        client: request.clientAddress,
        listener: client.listener,
        tls: client.encrypted,
        tlsVersion: client.tls?.version,
        tlsCipher: client.tls?.cipher,
        method: request.method,
        host: request.host,
        target: redact(request.target),
        protocol: client.http2 === true ? "HTTP/2.0" : request.minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1",
        status,
        bytesIn: finished.requestBytes,
        bytesOut: finished.responseBytes,
        queueMs: queuedMs,
        leaseMs: finished.leasedMs,
        firstByteMs: finished.respondedMs,
        totalMs: endedMs,
        attempts: finished.attempts,
        instance,
        endpoint: url,
        backend,
        route: request.route === "" ? undefined : request.route,
        answeredBy: finished.answeredBy,
        reason: finished.reason,
        end,
        referer,
        userAgent,
      });
    },
    linesReported: (_endpoint, lines) => log.addLines(lines),
    headRefused(client: ObservedClient, status: number, reason: AnswerReason) {
      if (!isTold({ status, end: noRequest.end, reason }, settings, random)) return;
      log.add({
        ...noRequest,
        ...noEndpoint,
        time: wallClock(),
        client: client.remoteAddress,
        listener: client.listener,
        tls: client.encrypted,
        status,
        reason,
        tlsVersion: client.tls?.version,
        tlsCipher: client.tls?.cipher,
      });
    },
  };
}

const noRequest = {
  id: undefined,
  traceId: undefined,
  spanId: undefined,
  method: undefined,
  host: undefined,
  target: undefined,
  protocol: undefined,
  bytesIn: 0,
  bytesOut: 0,
  queueMs: undefined,
  leaseMs: undefined,
  firstByteMs: undefined,
  totalMs: undefined,
  attempts: 0,
  route: undefined,
  answeredBy: "front",
  end: "no-request",
  referer: undefined,
  userAgent: undefined,
} as const satisfies Partial<AccessRecord>;
