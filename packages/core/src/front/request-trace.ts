import type { AnswerReason } from "../http/answer-reason.ts";
import type { RequestHead } from "../http/request-head.ts";
import { newSpanId } from "../http/trace-ids.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { RetryCause } from "../model/retry-policy.ts";
import type { EndedTunnel, FinishedRequest, ObservedClient, TracedTry, TrafficObserver } from "./traffic-observer.ts";

/** Where a trace ends, and what it goes by. */
export interface Traced {
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly client: ObservedClient;
  /** Knows how many bytes the client was given so far. */
  readonly downstream: { readonly bytesWritten: number };
}

/**
 * What is noted of a client's requests on their way, one after the other, and told at their end, once each. It is what is told, too:
 * requests cost no object for it.
 */
export class RequestTrace implements FinishedRequest {
  readonly #traced: Traced;
  readonly client: ObservedClient;
  request: RequestHead;
  status: number | undefined = undefined;
  answeredBy: FinishedRequest["answeredBy"] = "nobody";
  reason: FinishedRequest["reason"] = undefined;
  end: FinishedRequest["end"] = "complete";
  endpoint: Endpoint | undefined = undefined;
  attempts = 0;
  tries: TracedTry[] | undefined = undefined;
  requestBytes = 0;
  responseBytes = 0;
  startedAt = 0;
  queuedMs = 0;
  // Both begin as 0, and `begin` says what they are. A field that has been undefined and fractions alone is one that V8 takes for a
  // pointer: optimised code, which writes 0 as a small integer, is thrown away there, and made again, for ever.
  leasedMs: number | undefined = 0;
  respondedMs: number | undefined = 0;
  endedMs = 0;
  #writtenBefore = 0;
  /** Undefined: it does not wait. */
  #queuedAt: number | undefined = undefined;
  #over = true;

  constructor(traced: Traced, request: RequestHead, now?: number) {
    this.#traced = traced;
    this.client = traced.client;
    this.request = request;
    this.begin(request, now);
  }

  /** This request is noted from now on. One that is noted already goes on. `now`: by the clock, if the caller has read it. */
  begin(request: RequestHead, now = this.#traced.clock.now()): void {
    if (!this.#over && this.request === request) return;
    this.request = request;
    this.status = undefined;
    this.answeredBy = "nobody";
    this.reason = undefined;
    this.endpoint = undefined;
    this.attempts = 0;
    this.tries = undefined;
    this.requestBytes = request.byteLength;
    this.startedAt = now;
    this.queuedMs = 0;
    this.leasedMs = undefined;
    this.respondedMs = undefined;
    this.#writtenBefore = this.#traced.downstream.bytesWritten;
    this.#queuedAt = undefined;
    this.#over = false;
  }

  /** It waits from now on, until it is attempted, or over. */
  queued(): void {
    this.#queuedAt ??= this.#traced.clock.now();
  }

  /** `at`: by the clock, which the caller has read. Returns the id of the attempt's span, if the request is sampled. */
  attempted(endpoint: Endpoint, at: number): string | undefined {
    this.attempts++;
    this.endpoint = endpoint;
    this.leasedMs = at - this.startedAt;
    if (this.#queuedAt !== undefined) this.#waited(at);
    if (this.request.sampled === undefined) return undefined;
    const spanId = newSpanId();
    this.tries ??= [];
    this.tries.push({ endpoint, spanId, startedMs: this.leasedMs, failedMs: undefined, cause: undefined });
    return spanId;
  }

  /** The attempt that was made last came to nothing. */
  failed(cause: RetryCause, at: number): void {
    const last = this.tries?.at(-1);
    if (last === undefined || last.failedMs !== undefined) return;
    this.tries![this.tries!.length - 1] = { ...last, failedMs: at - this.startedAt, cause };
  }

  bodyBytes(length: number): void {
    this.requestBytes += length;
  }

  /** `reason`: why by the front. */
  responded(status: number, by: "app" | "front", at: number, reason?: AnswerReason): void {
    this.reason = reason;
    this.status = status;
    this.answeredBy = by;
    this.respondedMs = at - this.startedAt;
  }

  ended(end: FinishedRequest["end"]): void {
    if (this.#over) return;
    this.#over = true;
    const { observer, clock } = this.#traced;
    const now = clock.now();
    if (this.#queuedAt !== undefined) this.#waited(now);
    this.end = end;
    this.responseBytes = this.#traced.downstream.bytesWritten - this.#writtenBefore;
    this.endedMs = now - this.startedAt;
    observer.requestFinished?.(this);
  }

  /** The tunnel that its request has become begins. */
  tunnel(): TunnelTrace | undefined {
    if (this.#traced.observer.tunnelEnded === undefined) return undefined;
    return new TunnelTrace(this.#traced, this.request, this.endpoint!);
  }

  #waited(until: number): void {
    this.queuedMs += until - this.#queuedAt!;
    this.#queuedAt = undefined;
  }
}

/** What is noted of a tunnel, and told at its end. */
export class TunnelTrace implements EndedTunnel {
  readonly #traced: Traced;
  readonly client: ObservedClient;
  readonly request: RequestHead;
  readonly endpoint: Endpoint;
  bytesIn = 0;
  bytesOut = 0;
  openMs = 0;
  readonly #openedAt: number;

  constructor(traced: Traced, request: RequestHead, endpoint: Endpoint) {
    this.#traced = traced;
    this.client = traced.client;
    this.request = request;
    this.endpoint = endpoint;
    this.#openedAt = traced.clock.now();
  }

  ended(): void {
    const { observer, clock } = this.#traced;
    this.openMs = clock.now() - this.#openedAt;
    observer.tunnelEnded?.(this);
  }
}
