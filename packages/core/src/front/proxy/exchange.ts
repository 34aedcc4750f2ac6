import type { Lease } from "../../balancer/balancer.ts";
import { type AnswerReason, failureReason } from "../../http/answer-reason.ts";
import type { DownstreamOptions } from "../../http/downstream.ts";
import { underBasePath, underSpan, upstreamRequestHead } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { ResponseHead } from "../../http/response-head.ts";
import { cancelled, type Outcome } from "../../model/outcome.ts";
import { outcomeOf, type RetryCause, retryCauseOf } from "../../model/retry-policy.ts";
import type { AnswerOptions } from "../answer-options.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { FinishedRequest } from "../traffic-observer.ts";
import type { UpstreamFailure, UpstreamSink } from "../transport/upstream.ts";
import { switchesAsAsked } from "../web-socket-admission.ts";
import { Attempt } from "./attempt.ts";
import type { Client } from "./client.ts";
import type { FrontContext } from "./context.ts";
import { ExchangeDeadlines } from "./exchange-deadlines.ts";
import { keepsAlive, maxLateBodyBytes, ResponseOptions } from "./persistence.ts";
import { Placing, type PlacingOwner, type Unplaced } from "./placing.ts";
import { type ResponseOwner, ResponseRelay } from "./response-relay.ts";
import { Attempts, type FailedAttempt, heldResponseMs } from "./retry.ts";
import { Tunnel } from "./tunnel.ts";
import type { Way } from "./way.ts";

/**
 * - `idle`: no request;
 * - `queued`: waits for an endpoint, or for others of its route to end;
 * - `awaiting`: the request is with an endpoint, the client has seen nothing of a response;
 * - `responding`: the response is being relayed;
 * - `uploading`: the response is complete, the request body is not.
 */
type Phase = "idle" | "queued" | "awaiting" | "responding" | "uploading";

/**
 * One request and its response: has an endpoint found, sends the request, has the response relayed and, while the client has
 * seen nothing of one, may start over with another endpoint. One object a client connection, used again and again.
 */
export class Exchange implements UpstreamSink, ResponseOwner, PlacingOwner {
  readonly #client: Client;
  readonly #context: FrontContext;
  readonly #relay: ResponseRelay;
  readonly #attempts = new Attempts();
  readonly #attempt = new Attempt();
  readonly #placing: Placing;
  readonly #options: ResponseOptions;
  readonly #deadlines: ExchangeDeadlines;
  /** Of the request. */
  #way: Way;
  #phase: Phase = "idle";
  #request: RequestHead | undefined;
  #upstreamHead = "";
  #requestComplete = false;
  #lateBodyBytes = 0;
  #trace: RequestTrace | undefined;

  constructor(client: Client, context: FrontContext) {
    this.#client = client;
    this.#context = context;
    this.#relay = new ResponseRelay(client.downstream, this, context.settings);
    this.#way = context.way;
    this.#placing = new Placing(this, this.#attempts, context);
    this.#options = new ResponseOptions(client.facts, context.settings);
    this.#deadlines = new ExchangeDeadlines(client, context);
  }

  /** An upgrade was asked for, and the answer is not known. */
  get mayUpgrade(): boolean {
    return this.#request?.upgrade !== undefined && (this.#phase === "awaiting" || this.#phase === "queued");
  }

  /** Whose request it is. Undefined: there is none. */
  get clientAddress(): string | undefined {
    return this.#phase === "idle" ? undefined : this.#request!.clientAddress;
  }

  begin(request: RequestHead, way: Way): void {
    this.#request = request;
    this.#way = way;
    this.#deadlines.goBy(way.timeouts);
    this.#requestComplete = request.framing.kind === "none";
    const now = this.#context.clock.now();
    this.#attempts.reset(way.retry, request.method, now);
    this.#trace = this.#client.trace(request, now);
    this.#lateBodyBytes = 0;
    this.#upstreamHead = upstreamRequestHead(request, this.#client.facts, way.upstream);
    this.#placing.begin(request, way, now);
  }

  sendBody(bytes: Buffer): void {
    this.#trace?.bodyBytes(bytes.length);
    switch (this.#phase) {
      case "queued":
        this.#attempts.replay.keep(bytes);
        if (this.#placing.bodyCame(false)) this.#deadlines.body(bytes.length);
        return;
      case "awaiting":
        this.#attempts.replay.keepWithinLimit(bytes);
        break;
      case "uploading":
        this.#lateBodyBytes += bytes.length;
        if (this.#lateBodyBytes <= maxLateBodyBytes) break;
        this.#settle(false, false);
        return;
      default:
    }
    const { stream } = this.#attempt;
    if (stream === undefined) return;
    if (stream.write(bytes)) {
      this.#deadlines.body(bytes.length);
      return;
    }
    this.#client.pauseReading();
    this.#deadlines.holdPace();
    this.#deadlines.response();
  }

  requestComplete(): void {
    this.#requestComplete = true;
    this.#placing.counted?.whole();
    if (this.#phase === "awaiting") this.#deadlines.response();
    else if (this.#phase === "queued") this.#placing.bodyCame(true);
    else if (this.#phase === "uploading") this.#settle(this.#attempt.reusable, this.#options.keepAlive);
  }

  /** What follows the head is malformed, or does not come: the endpoint must see it broken off, and the client an error. */
  brokenOff(status: number, reason: AnswerReason): void {
    // It has its answer, and must not take another one for that to its next request.
    if (this.#phase === "uploading") this.#settle(false, false);
    else if (this.#phase === "responding") this.#cut(cancelled);
    else {
      this.#giveUp(cancelled);
      this.#answer(status, reason);
    }
  }

  clientDrained(): void {
    if (this.#attempt.resume()) this.#deadlines.progressed(false);
  }

  clientGone(): void {
    this.#giveUp(cancelled);
    this.#over("client-left");
  }

  /** The connection's deadline passed; `bodyDue`: the client still owes request-body bytes. */
  expired(bodyDue: boolean): void {
    switch (this.#phase) {
      case "awaiting":
        if (this.#relay.letGo()) this.#deadlines.progressed(this.#attempt.paused);
        else if (bodyDue && !this.#client.readingPaused) this.brokenOff(408, "request-timeout");
        else this.#attemptFailed("timeout", { sent: true });
        return;
      case "responding":
        if (this.#attempt.paused) this.#client.destroy();
        else this.#cut({ kind: "failure", reason: "timeout" });
        return;
      case "uploading":
        this.#settle(false, false);
        return;
      case "queued":
      case "idle":
        if (this.#phase === "queued" && bodyDue) this.brokenOff(408, "request-timeout");
        return;
      default:
        this.#phase satisfies never;
    }
  }

  queued(readsOn: boolean): void {
    this.#phase = "queued";
    if (readsOn) {
      this.#deadlines.bodyBegins();
      this.#client.resumeReading();
    } else {
      this.#trace?.queued();
      if (!this.#requestComplete) this.#client.pauseReading();
      this.#deadlines.none();
    }
  }

  unplaced(reason: Unplaced, againInMs = 1_000): void {
    if (reason === "all-tried") this.#answer(502, reason);
    else this.#answer(503, reason, { retryAfterSeconds: Math.ceil(againInMs / 1_000) });
  }

  placed(lease: Lease, fresh: boolean, now: number): void {
    this.#attempt.begin(lease);
    this.#attempts.began();
    this.#placing.counted?.attempted(this.#requestComplete);
    this.#phase = "awaiting";
    const backend = this.#way.pool.reach(lease.endpoint);
    if (backend === undefined) {
      this.#attemptFailed("connect-error", { sent: false });
      return;
    }
    const head = underBasePath(this.#upstreamHead, this.#request!.target, backend.place?.basePath);
    if (head === undefined) {
      this.brokenOff(400, "path-not-plain");
      return;
    }
    this.#relay.begin(this.#request!.method, this.#request!.minorVersion);
    const spanId = this.#trace?.attempted(lease.endpoint, now);
    const stream = backend.transport.open(this.#client, this, fresh);
    this.#attempt.sent(stream, backend, now);
    let writable = stream.write(spanId === undefined ? head : underSpan(head, this.#request!, spanId));
    for (const bytes of this.#attempts.replay.pieces) writable = stream.write(bytes);
    this.#attempts.replay.sent();
    if (writable) this.#client.resumeReading();
    else this.#client.pauseReading();
    if (this.#requestComplete) this.#deadlines.response();
    else this.#deadlines.bodyBegins();
  }

  /** An attempt ended before the client saw anything of a response. */
  #attemptFailed(cause: RetryCause, { sent, stale = false, free = stale }: FailedAttempt): void {
    const { endpoint } = this.#attempt;
    this.#giveUp(stale ? cancelled : outcomeOf(cause));
    const now = this.#context.clock.now();
    this.#trace?.failed(cause, now);
    if (!this.#attempts.mayRetry(cause, sent, now) || !(free || this.#way.pool.balancer.withdrawRetry())) {
      this.#answer(cause === "timeout" ? 504 : 502, failureReason(cause));
      return;
    }
    if (stale) this.#attempts.retriedStale = true;
    else this.#attempts.failedAt(endpoint);
    this.#context.observer.retried?.(endpoint, cause);
    this.#placing.place(stale, now);
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    if (this.#phase === "uploading") {
      // More than the response had: whatever it is, it must not be taken for the next one.
      this.#attempt.reusable = false;
      return true;
    }
    const free = this.#relay.receive(buffer, start, end);
    if (this.#phase === "responding") this.#deadlines.progressed(this.#attempt.paused);
    return free;
  }

  upstreamWritable(): void {
    this.#client.resumeReading();
  }

  /** Whatever the framing still lacks will never come. */
  upstreamComplete(): void {
    if (this.#phase === "awaiting" || this.#phase === "responding") this.upstreamEnd();
  }

  upstreamEnd(): void {
    switch (this.#phase) {
      case "awaiting":
        this.upstreamFailed({ reason: "reset", sent: true });
        return;
      case "responding":
        if (this.#relay.endsWithConnection()) this.responseComplete(true);
        else this.#cut({ kind: "failure", reason: "reset" });
        return;
      case "uploading":
        this.#attempt.reusable = false;
        return;
      default:
    }
  }

  upstreamFailed(failure: UpstreamFailure): void {
    // An endpoint that lives would break off again: the client is to see that.
    if (failure.endpointDown !== true) this.#relay.letGo();
    switch (this.#phase) {
      case "awaiting": {
        const cause = failure.reason === "connect" ? "connect-error" : failure.reason;
        this.#attemptFailed(cause, this.#placing.broken(this.#attempt, failure, this.#relay.untouched));
        return;
      }
      case "responding":
        this.#cut({ kind: "failure", reason: failure.reason });
        return;
      case "uploading":
        this.#settle(false, false);
        return;
      default:
    }
  }

  upstreamSilent(): void {
    const left = this.#phase === "awaiting" ? this.#placing.fellSilent(this.#attempt) : undefined;
    if (left !== undefined) this.#attemptFailed("reset", left);
  }

  responseBegun(status: number): boolean {
    const mayWait = this.#requestComplete && retryCauseOf(status) === undefined;
    if (!mayWait || !this.#attempts.mayRetry("reset", true, this.#context.clock.now())) return false;
    this.#deadlines.held(heldResponseMs);
    return true;
  }

  responseHead(head: ResponseHead): DownstreamOptions | undefined {
    if (head.status === 101 && !switchesAsAsked(this.#request!, head)) {
      this.responseInvalid(false);
      return undefined;
    }
    const cause = retryCauseOf(head.status);
    if (cause !== undefined && this.#retriesStatus(cause)) return undefined;
    const now = this.#context.clock.now();
    this.#attempt.answered(head.status, head.persistent, now);
    this.#placing.answered(head.status);
    this.#trace?.responded(head.status, "app", now);
    const placed = this.#placing.responseLines(this.#attempt.endpoint, this.#client.encrypted);
    const keepAlive = !this.#context.draining && keepsAlive(this.#request!, head, this.#requestComplete);
    this.#phase = "responding";
    return this.#options.fill(this.#way, {
      request: this.#request!,
      response: head,
      keepAlive,
      ours: this.#attempt.responseLines + placed + this.#request!.responseLines,
      place: this.#attempt.place,
      times: this.#trace,
    });
  }

  /** The exchange ends here; it and what it needed are not needed any more, while the tunnel goes on. */
  tunnelOpened(buffer: Buffer, start: number, end: number): void {
    const { clientAddress, upgrade } = this.#request!;
    const { tunnelMs: idleMs } = this.#way.timeouts;
    const detached = this.#attempt.detach();
    const trace = this.#trace?.tunnel();
    const of = { ...detached, clientAddress, idleMs, isWebSocket: upgrade === "websocket", trace };
    const tunnel = new Tunnel(this.#client, of);
    this.#phase = "idle";
    this.#over("tunnel");
    detached.stream.redirect(tunnel);
    this.#client.openTunnel(tunnel);
    if (start < end) tunnel.upstreamBytes(buffer, start, end);
  }

  responseInvalid(begun: boolean): void {
    this.#context.observer.responseInvalid?.(this.#attempt.endpoint);
    if (begun) this.#cut({ kind: "failure", reason: "invalid-response" });
    else this.#attemptFailed("invalid-response", { sent: true });
  }

  responseComplete(stray: boolean): void {
    if (stray) this.#attempt.reusable = false;
    if (!this.#requestComplete && this.#options.keepAlive) {
      this.#phase = "uploading";
      this.#deadlines.body(0);
    } else this.#settle(this.#requestComplete && this.#attempt.reusable, this.#options.keepAlive);
  }

  clientFull(): void {
    this.#attempt.pause();
  }

  /** True if the response was let go in favour of another attempt. */
  #retriesStatus(cause: RetryCause): boolean {
    const { endpoint } = this.#attempt;
    const found = this.#placing.elsewhere(endpoint, cause);
    if (found === undefined) return false;
    this.#attempts.failedAt(endpoint);
    this.#context.observer.retried?.(endpoint, cause);
    this.#giveUp(outcomeOf(cause));
    this.#trace?.failed(cause, this.#context.clock.now());
    this.placed(found, false, this.#context.clock.now());
    return true;
  }

  /** Both directions are complete, or as complete as they will be. */
  #settle(reuseStream: boolean, keepAlive: boolean): void {
    this.#attempt.settle(reuseStream);
    this.#phase = "idle";
    this.#over("complete");
    this.#client.exchangeDone(keepAlive, this.#requestComplete && !this.#request!.persistent);
  }

  /** The client got the beginning of a response and will not get its end. */
  #cut(outcome: Outcome): void {
    this.#giveUp(outcome);
    this.#over("cut");
    this.#client.cut();
  }

  #answer(status: number, reason: AnswerReason, options?: AnswerOptions): void {
    this.#phase = "idle";
    this.#trace?.responded(status, "front", this.#context.clock.now(), reason);
    const { method, responseLines: lines = "" } = this.#request ?? {};
    this.#client.answer(status, { ...options, head: method === "HEAD", lines });
    this.#over("complete");
  }

  #over(end: FinishedRequest["end"]): void {
    this.#trace?.ended(end);
    this.#placing.over();
  }

  #giveUp(outcome: Outcome): void {
    this.#phase = "idle";
    this.#placing.leave();
    this.#attempt.giveUp(outcome);
  }
}
