import type { Duplex } from "node:stream";
import { isIdempotent, retryCauseOf } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { isPromise } from "./after.ts";
import { Attempt, type AttemptObserver, type UpstreamAnswer } from "./attempt.ts";
import { ClientPlace } from "./client-place.ts";
import { errorFor, type FailedAttempt } from "./failure.ts";
import { Leases } from "./leases.ts";
import type { GatewayParts } from "./parts.ts";
import { type RequestBody, requestBodyOf } from "./request-body.ts";
import { type ClientHead, clientHead, mayTrail, pairsOf, ruledHead, writeHead } from "./response-head.ts";
import { addressedTo, type UpstreamRequest } from "./upstream-request.ts";

export interface ExchangeOptions {
  readonly parts: GatewayParts;
  readonly call: Call;
  readonly request: UpstreamRequest;
  readonly failed: (error: GatewayError) => void;
}

/**
 * Bytes that may wait for a client. More than one read of an endpoint's connection, which Node writes after this turn
 * only: to hold the endpoint back for each would cost more than the bytes.
 */
const maxBufferedBytes = 131_072;

/** One request and its response, over as many attempts as it takes. */
export class Exchange implements AttemptObserver {
  readonly #parts: GatewayParts;
  readonly #call: Call;
  readonly #request: UpstreamRequest;
  readonly #failed: ExchangeOptions["failed"];
  readonly #leases: Leases;
  readonly #body: RequestBody;
  #attempt: Attempt | undefined;
  #attemptedAtMs = 0;
  /** A stale connection was already made up for. */
  #retriedStale = false;
  #headSent = false;
  #phase: "asking" | "deciding" | "answering" | "over" = "asking";

  /** @throws GatewayError when the body cannot be sent */
  constructor({ parts, call, request, failed }: ExchangeOptions) {
    this.#parts = parts;
    this.#call = call;
    this.#request = request;
    this.#failed = failed;
    this.#leases = new Leases(parts, call);
    this.#body = requestBodyOf(call, request.headers, parts.settings.retry.maxBodyBytes);
  }

  begin(): void {
    this.#call.response.once("close", this.#clientClosed);
    this.#leases.take(() => this.#try(false), this.#fail);
  }

  answered(answer: UpstreamAnswer, attempt: Attempt): void {
    const cause = retryCauseOf(answer.status);
    if (cause !== undefined && this.#leases.replaceIfPossible(cause, this.#sent)) {
      attempt.abandon();
      this.#try(false);
      return;
    }
    const latencyMs = this.#parts.clock.now() - this.#attemptedAtMs;
    this.#leases.observe({ kind: "response", status: answer.status, latencyMs });
    this.#phase = "deciding";
    const refuse = (error: unknown) => this.#refuse(error, attempt);
    try {
      const head = ruledHead(this.#call.response, this.#headOf(answer), {
        rules: this.#parts.settings.headers.response,
        request: this.#call.frameworkRequest,
      });
      if (!isPromise(head)) this.#answer(head);
      else {
        attempt.hold();
        head
          .then((made) => {
            if (this.#phase !== "deciding") return;
            this.#answer(made);
            attempt.resume();
          })
          .then(undefined, refuse);
      }
    } catch (error) {
      refuse(error);
    }
  }

  received(piece: Buffer): boolean {
    const { response } = this.#call;
    this.#headSent = true;
    // Destroyed by the app, which is told of by "close", in a moment.
    if (response.destroyed || response.write(piece) || response.writableLength < maxBufferedBytes) return true;
    response.once("drain", this.#resume);
    return false;
  }

  ended(trailers: readonly string[]): void {
    const { request, response } = this.#call;
    if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(pairsOf(trailers).filter(mayTrail));
    response.end();
    // An endpoint may answer before it has read all; what is left of the upload is nobody's.
    this.#body.detach();
    if (!request.complete) request.resume();
    this.#leases.release({ kind: "success" });
    this.#phase = "over";
  }

  upgraded(_answer: UpstreamAnswer, socket: Duplex): void {
    // Nobody asked for it, and undici says so before it comes to this.
    socket.destroy();
  }

  failed(failure: FailedAttempt, attempt: Attempt): void {
    const { cause } = failure;
    const { url } = this.#leases.current;
    if (this.#phase !== "asking") {
      this.#leases.release({ kind: "failure", reason: cause === "timeout" ? "timeout" : "reset" });
      // Whoever reads the response has to see that it is cut: no last chunk, no kept connection.
      if (this.#phase === "answering") this.#call.response.destroy();
      else this.#fail(errorFor(failure, url));
      this.#phase = "over";
      return;
    }
    if (cause === "refused") this.#fail(errorFor(failure, url));
    else if (cause === "reset" && attempt.reused && this.#mayRetryStale()) {
      this.#retriedStale = true;
      this.#try(true);
    } else if (this.#leases.replace(cause, cause === "connect-error" ? this.#unsent : this.#sent)) this.#try(false);
    else this.#fail(errorFor(failure, url));
  }

  #headOf(answer: UpstreamAnswer): ClientHead {
    const { settings } = this.#parts;
    const { endpoint } = this.#leases.current;
    const place = new ClientPlace({ settings, call: this.#call, request: this.#request, endpoint });
    return clientHead(answer, { place, ownFields: this.#leases.ownFields() });
  }

  #answer(head: ClientHead): void {
    this.#call.takeResponse();
    writeHead(this.#call.response, head);
    this.#phase = "answering";
    // It leaves with the first bytes; a stream that says nothing yet, such as server-sent events, must not wait for them.
    process.nextTick(this.#flushHead);
  }

  /** What was answered cannot be sent on. */
  #refuse(error: unknown, attempt: Attempt): void {
    if (this.#phase === "over") return;
    attempt.abandon();
    this.#fail(
      error instanceof GatewayError
        ? error
        : new GatewayError("LB_UPSTREAM_INVALID", "The answer's head cannot be sent on", { cause: error }),
    );
  }

  #try(fresh: boolean): void {
    const { upstreams, clock, settings } = this.#parts;
    const { endpoint } = this.#leases.current;
    this.#attemptedAtMs = clock.now();
    this.#attempt = new Attempt({ upstreams, endpoint, observer: this });
    this.#attempt.begin(addressedTo(endpoint, this.#request, settings.changeOrigin), this.#body.open(), { fresh });
  }

  get #sent() {
    return { sent: true, replayable: this.#body.replayable };
  }

  get #unsent() {
    return { sent: false, replayable: this.#body.replayable };
  }

  /** An endpoint may close an idle connection just as we use it, which says nothing of the endpoint. */
  #mayRetryStale(): boolean {
    return !this.#retriedStale && this.#body.replayable && isIdempotent(this.#request.method);
  }

  readonly #flushHead = (): void => {
    if (this.#phase === "answering" && !this.#headSent) this.#call.response.flushHeaders();
  };

  readonly #resume = (): void => this.#attempt?.resume();

  readonly #fail = (error: GatewayError): void => {
    this.#phase = "over";
    this.#body.detach();
    this.#leases.release({ kind: "cancelled" });
    this.#failed(error);
  };

  readonly #clientClosed = (): void => {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#body.detach();
    this.#leases.release({ kind: "cancelled" });
    this.#attempt?.abandon();
  };
}
