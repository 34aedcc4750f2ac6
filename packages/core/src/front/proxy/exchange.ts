import type { Lease } from "../../balancer/balancer.ts";
import type { DownstreamOptions } from "../../http/downstream.ts";
import { upstreamRequestHead } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { ResponseHead } from "../../http/response-head.ts";
import { cancelled, type Outcome } from "../../model/outcome.ts";
import { outcomeOf, type RetryCause, retryCauseOf } from "../../model/retry-policy.ts";
import type { AnswerOptions } from "../answer-options.ts";
import { Placement } from "../placement.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { FinishedRequest } from "../traffic-observer.ts";
import type { UpstreamFailure, UpstreamSink, UpstreamStream } from "../transport/upstream.ts";
import { switchesAsAsked } from "../web-socket-admission.ts";
import { BodyPace } from "./body-pace.ts";
import type { Client } from "./client.ts";
import type { FrontContext } from "./context.ts";
import type { InFlightLimit } from "./in-flight-limit.ts";
import { keepsAlive, maxLateBodyBytes, ResponseOptions } from "./persistence.ts";
import { leaseElsewhere, type Placing, waitForEndpoint } from "./placing.ts";
import type { Backend } from "./pool.ts";
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

/** In every such span a body has to bring as many bytes as its rate demands. Longer than a network pauses by itself. */
const paceSpanMs = 10_000;

/**
 * One request and its response: takes a lease, sends the request, has the response relayed and, while the client has
 * seen nothing of one, may start over with another endpoint. One object a client connection, used again and again.
 */
export class Exchange implements UpstreamSink, ResponseOwner {
  readonly #client: Client;
  readonly #context: FrontContext;
  readonly #relay: ResponseRelay;
  readonly #attempts = new Attempts();
  readonly #placement: Placement;
  readonly #options: ResponseOptions;
  /** Undefined: bodies may be as slow as they like, as long as something comes. */
  readonly #pace: BodyPace | undefined;
  /** Of the request. */
  #way: Way;
  #phase: Phase = "idle";
  #request: RequestHead | undefined;
  #upstreamHead = "";
  #lease: Lease | undefined;
  /** Counts it among those in flight. */
  #counted: InFlightLimit | undefined;
  #backend: Backend | undefined;
  #stream: UpstreamStream | undefined;
  #leaveQueue: (() => void) | undefined;
  #attemptedAt = 0;
  #outcome: Outcome = cancelled;
  #requestComplete = false;
  #lateBodyBytes = 0;
  #streamReusable = false;
  #streamPaused = false;
  #trace: RequestTrace | undefined;

  constructor(client: Client, context: FrontContext) {
    this.#client = client;
    this.#context = context;
    this.#relay = new ResponseRelay(client.downstream, this, context.settings);
    this.#way = context.way;
    this.#placement = new Placement(context.way);
    this.#options = new ResponseOptions(client.facts);
    const { minBodyBytesPerSecond } = context.settings.limits;
    this.#pace = minBodyBytesPerSecond === 0 ? undefined : new BodyPace(minBodyBytesPerSecond, paceSpanMs);
  }

  /** An upgrade was asked for, and the answer is not known. */
  get mayUpgrade(): boolean {
    return this.#request?.upgrade !== undefined && (this.#phase === "awaiting" || this.#phase === "queued");
  }

  begin(request: RequestHead, way: Way): void {
    this.#request = request;
    this.#way = way;
    this.#requestComplete = request.framing.kind === "none";
    this.#attempts.reset(way.retry, request.method, this.#context.clock.now());
    this.#placement.goBy(way);
    this.#trace = this.#client.trace(request);
    this.#lateBodyBytes = 0;
    this.#upstreamHead = upstreamRequestHead(request, this.#client.facts, way.upstream);
    this.#enter(way.inFlight);
  }

  sendBody(bytes: Buffer): void {
    this.#trace?.bodyBytes(bytes.length);
    switch (this.#phase) {
      case "queued":
        this.#attempts.replay.keep(bytes);
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
    if (this.#stream === undefined) return;
    if (this.#stream.write(bytes)) {
      this.#client.deadline(this.#bodyMs(bytes.length));
      return;
    }
    this.#client.pauseReading();
    this.#pace?.hold();
    this.#client.deadline(this.#way.timeouts.responseMs);
  }

  requestComplete(): void {
    this.#requestComplete = true;
    if (this.#phase === "awaiting") this.#client.deadline(this.#way.timeouts.responseMs);
    else if (this.#phase === "uploading") this.#settle(this.#streamReusable, this.#options.keepAlive);
  }

  /** What follows the head is malformed, or does not come: the endpoint must see it broken off, and the client an error. */
  brokenOff(status: number): void {
    // It has its answer, and must not take another one for that to its next request.
    if (this.#phase === "uploading") this.#settle(false, false);
    else if (this.#phase === "responding") this.#cut(cancelled);
    else {
      this.#giveUp(cancelled);
      this.#answer(status);
    }
  }

  clientDrained(): void {
    if (!this.#streamPaused) return;
    this.#streamPaused = false;
    this.#stream?.resume();
    this.#progressed();
  }

  clientGone(): void {
    this.#giveUp(cancelled);
    this.#over("client-left");
  }

  /** The connection's deadline passed; `bodyDue`: the client still owes request-body bytes. */
  expired(bodyDue: boolean): void {
    switch (this.#phase) {
      case "awaiting":
        if (this.#relay.letGo()) this.#progressed();
        else if (bodyDue && !this.#client.readingPaused) this.brokenOff(408);
        else this.#attemptFailed("timeout", { sent: true });
        return;
      case "responding":
        if (this.#streamPaused) this.#client.destroy();
        else this.#cut({ kind: "failure", reason: "timeout" });
        return;
      case "uploading":
        this.#settle(false, false);
        return;
      case "queued":
      case "idle":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  #enter(limit: InFlightLimit | undefined): void {
    if (limit === undefined || limit.take()) {
      this.#counted = limit;
      this.#acquire(false);
      return;
    }
    const enter = () => {
      this.#leaveQueue = undefined;
      this.#counted = limit;
      this.#acquire(false);
    };
    this.#queue(() => limit.wait({ enter, refuse: () => this.#answer(503, { retryAfterSeconds: 1 }) }));
  }

  #acquire(fresh: boolean): void {
    const alone = this.#attempts.suspected && !this.#way.pool.suspects.full;
    const found = alone ? undefined : this.#placement.acquire(this.#request!, this.#attempts.tried);
    if (found?.kind === "lease") this.#attempt(found, fresh);
    else if (found?.reason === "all-excluded" && !this.#attempts.awaitsReplacement) this.#answer(502);
    else this.#wait();
  }

  #wait(): void {
    this.#queue(() =>
      waitForEndpoint(this.#context.clock, this.#placing, {
        onLease: (lease) => this.#attempt(lease, false),
        onRefused: () => this.#answer(503, { retryAfterSeconds: 1 }),
      }),
    );
  }

  /** `join` may be answered before it returns the call that leaves. */
  #queue(join: () => () => void): void {
    this.#phase = "queued";
    if (!this.#requestComplete) this.#client.pauseReading();
    this.#client.deadline(Number.POSITIVE_INFINITY);
    let leave = () => {};
    this.#leaveQueue = () => leave();
    leave = join();
  }

  #attempt(lease: Lease, fresh: boolean): void {
    const { pool, timeouts } = this.#way;
    this.#leaveQueue = undefined;
    this.#lease = lease;
    this.#attempts.began();
    this.#phase = "awaiting";
    this.#streamPaused = false;
    this.#backend = pool.reach(lease.endpoint);
    if (this.#backend === undefined) {
      this.#attemptFailed("connect-error", { sent: false });
      return;
    }
    this.#relay.begin(this.#request!.method, this.#request!.minorVersion);
    this.#attemptedAt = this.#context.clock.now();
    this.#trace?.attempted(lease.endpoint);
    const stream = this.#backend.transport.open(this.#client, this, fresh);
    this.#stream = stream;
    let writable = stream.write(this.#upstreamHead);
    for (const bytes of this.#attempts.replay.pieces) writable = stream.write(bytes);
    this.#attempts.replay.sent();
    if (writable) this.#client.resumeReading();
    else this.#client.pauseReading();
    this.#pace?.hold();
    this.#client.deadline(this.#requestComplete ? timeouts.responseMs : this.#bodyMs(0));
  }

  /** An attempt ended before the client saw anything of a response. */
  #attemptFailed(cause: RetryCause, { sent, stale = false, free = stale }: FailedAttempt): void {
    const endpoint = this.#lease!.endpoint;
    this.#giveUp(stale ? cancelled : outcomeOf(cause));
    const may = this.#attempts.mayRetry(cause, sent, this.#context.clock.now());
    if (!may || !(free || this.#way.pool.balancer.withdrawRetry())) {
      this.#answer(cause === "timeout" ? 504 : 502);
      return;
    }
    if (stale) this.#attempts.retriedStale = true;
    else this.#attempts.failedAt(endpoint);
    this.#context.observer.retried?.(endpoint, cause);
    this.#acquire(stale);
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    if (this.#phase === "uploading") {
      // More than the response had: whatever it is, it must not be taken for the next one.
      this.#streamReusable = false;
      return true;
    }
    const free = this.#relay.receive(buffer, start, end);
    if (this.#phase === "responding") this.#progressed();
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
        this.#streamReusable = false;
        return;
      default:
    }
  }

  upstreamFailed(failure: UpstreamFailure): void {
    // An endpoint that lives would break off again: the client is to see that.
    if (failure.endpointDown !== true) this.#relay.letGo();
    switch (this.#phase) {
      case "awaiting": {
        const died =
          failure.endpointDown === true && failure.sent && this.#way.pool.diedByItself(this.#lease!.endpoint);
        const untouched = this.#stream?.reused === true && this.#relay.untouched;
        const cause = failure.reason === "connect" ? "connect-error" : failure.reason;
        this.#attemptFailed(cause, this.#attempts.broken(failure, { died, untouched }));
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
    if (this.#phase !== "awaiting" || !this.#attempts.mayLeave(this.#context.clock.now())) return;
    // A session that lives there has nowhere else to go.
    if (this.#placement.placeOf(this.#request!, this.#attempts.tried) === this.#lease!.endpoint) return;
    this.#attemptFailed("reset", this.#attempts.left());
  }

  responseBegun(status: number): boolean {
    const mayWait = this.#requestComplete && retryCauseOf(status) === undefined;
    if (!mayWait || !this.#attempts.mayRetry("reset", true, this.#context.clock.now())) return false;
    this.#client.deadline(heldResponseMs);
    return true;
  }

  responseHead(head: ResponseHead): DownstreamOptions | undefined {
    if (head.status === 101 && !switchesAsAsked(this.#request!, head)) {
      this.responseInvalid(false);
      return undefined;
    }
    const cause = retryCauseOf(head.status);
    if (cause !== undefined && this.#retriesStatus(cause)) return undefined;
    this.#outcome = { kind: "response", status: head.status, latencyMs: this.#context.clock.now() - this.#attemptedAt };
    this.#lease!.answered();
    this.#trace?.responded(head.status, "app");
    this.#streamReusable = head.persistent;
    const placed = this.#placement.responseLines(this.#lease!.endpoint, this.#client.encrypted);
    const keepAlive = !this.#context.draining && keepsAlive(this.#request!, head, this.#requestComplete);
    this.#phase = "responding";
    return this.#options.fill(this.#way.responseRules, {
      request: this.#request!,
      response: head,
      keepAlive,
      ours: this.#backend!.responseLines + placed,
    });
  }

  /** The exchange ends here; it and what it needed are not needed any more, while the tunnel goes on. */
  tunnelOpened(buffer: Buffer, start: number, end: number): void {
    const stream = this.#stream!;
    const { tunnelMs: idleMs } = this.#way.timeouts;
    const isWebSocket = this.#request!.upgrade === "websocket";
    const tunnel = new Tunnel(this.#client, {
      stream,
      lease: this.#lease!,
      outcome: this.#outcome,
      idleMs,
      isWebSocket,
    });
    this.#stream = undefined;
    this.#lease = undefined;
    this.#phase = "idle";
    this.#over("tunnel");
    stream.redirect(tunnel);
    this.#client.openTunnel(tunnel);
    if (start < end) tunnel.upstreamBytes(buffer, start, end);
  }

  responseInvalid(begun: boolean): void {
    this.#context.observer.responseInvalid?.(this.#lease!.endpoint);
    if (begun) this.#cut({ kind: "failure", reason: "invalid-response" });
    else this.#attemptFailed("invalid-response", { sent: true });
  }

  responseComplete(stray: boolean): void {
    if (stray) this.#streamReusable = false;
    if (!this.#requestComplete && this.#options.keepAlive) {
      this.#phase = "uploading";
      this.#client.deadline(this.#bodyMs(0));
    } else this.#settle(this.#requestComplete && this.#streamReusable, this.#options.keepAlive);
  }

  clientFull(): void {
    if (!this.#streamPaused) this.#stream?.pause();
    this.#streamPaused = true;
  }

  /** How long the next bytes of the body may take, so many having come just now. */
  #bodyMs(bytes: number): number {
    const { bodyIdleMs } = this.#way.timeouts;
    return this.#pace === undefined
      ? bodyIdleMs
      : Math.min(bodyIdleMs, this.#pace.came(bytes, this.#context.clock.now()));
  }

  get #placing(): Placing {
    const { pool, by } = this.#way;
    return { request: this.#request!, attempts: this.#attempts, placement: this.#placement, pool, by };
  }

  /** True if the response was let go in favour of another attempt. */
  #retriesStatus(cause: RetryCause): boolean {
    const { endpoint } = this.#lease!;
    const found = leaseElsewhere(this.#context.clock, this.#placing, { endpoint, cause });
    if (found === undefined) return false;
    this.#attempts.failedAt(endpoint);
    this.#context.observer.retried?.(endpoint, cause);
    this.#giveUp(outcomeOf(cause));
    this.#attempt(found, false);
    return true;
  }

  /** Something passed: the deadline for the next sign of life starts anew. */
  #progressed(): void {
    const { timeouts } = this.#way;
    this.#client.deadline(this.#streamPaused ? timeouts.writeIdleMs : timeouts.responseIdleMs);
  }

  /** Both directions are complete, or as complete as they will be. */
  #settle(reuseStream: boolean, keepAlive: boolean): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (reuseStream) stream?.release();
    else stream?.destroy();
    this.#release(this.#outcome);
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

  #answer(status: number, options: AnswerOptions = {}): void {
    this.#phase = "idle";
    this.#leaveQueue = undefined;
    this.#trace?.responded(status, "front");
    this.#client.answer(status, { ...options, head: this.#request?.method === "HEAD" });
    this.#over("complete");
  }

  /** Others may have its place. */
  #over(end: FinishedRequest["end"]): void {
    this.#trace?.ended(end);
    const counted = this.#counted;
    this.#counted = undefined;
    counted?.release();
  }

  #giveUp(outcome: Outcome): void {
    this.#phase = "idle";
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.destroy();
    this.#release(outcome);
  }

  #release(outcome: Outcome): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release(outcome);
  }
}
