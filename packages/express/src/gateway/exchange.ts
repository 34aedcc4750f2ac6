import type { Duplex } from "node:stream";
import { isIdempotent, retryCauseOf } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { Attempt, type AttemptObserver, type UpstreamAnswer } from "./attempt.ts";
import { ClientPlace } from "./client-place.ts";
import { Delivery } from "./delivery.ts";
import { errorFor, type FailedAttempt } from "./failure.ts";
import { passOnInterim } from "./interim.ts";
import { Leases } from "./leases.ts";
import type { MirroredRequest } from "./mirror.ts";
import type { GatewayParts } from "./parts.ts";
import { type RequestBody, requestBodyOf } from "./request-body.ts";
import { type ClientHead, clientHead } from "./response-head.ts";
import { addressedTo, type UpstreamRequest } from "./upstream-request.ts";

export interface ExchangeOptions {
  readonly parts: GatewayParts;
  readonly call: Call;
  readonly request: UpstreamRequest;
  readonly failed: (error: GatewayError) => void;
}

/** One request and its response, over as many attempts as it takes. */
export class Exchange implements AttemptObserver {
  readonly #parts: GatewayParts;
  readonly #call: Call;
  readonly #request: UpstreamRequest;
  readonly #failed: ExchangeOptions["failed"];
  readonly #leases: Leases;
  readonly #body: RequestBody;
  readonly #copy: MirroredRequest | undefined;
  #attempt: Attempt | undefined;
  #attemptedAtMs = 0;
  /** A stale connection was already made up for. */
  #retriedStale = false;
  /** Of the answer, once there is one. */
  #delivery: Delivery | undefined;
  #over = false;

  /** @throws GatewayError when the body cannot be sent */
  constructor({ parts, call, request, failed }: ExchangeOptions) {
    this.#parts = parts;
    this.#call = call;
    this.#request = request;
    this.#failed = failed;
    this.#leases = new Leases(parts, call);
    const { retry, limits } = parts.settings;
    this.#copy = parts.mirror?.copyOf(call);
    this.#body = requestBodyOf(call, request.headers, {
      maxReplayBytes: retry.maxBodyBytes,
      maxBytes: limits.maxBodyBytes ?? Number.POSITIVE_INFINITY,
      exceeded: (error) => this.#breakOff(error),
      copy: this.#copy,
    });
  }

  begin(): void {
    this.#call.response.once("close", this.#clientClosed);
    this.#copy?.begin(this.#request, !this.#body.isEmpty);
    this.#leases.take(() => this.#try(false), this.#fail);
  }

  informed(answer: UpstreamAnswer): void {
    passOnInterim(this.#call.response, answer);
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
    try {
      const { settings } = this.#parts;
      this.#delivery = new Delivery({
        settings,
        call: this.#call,
        attempt,
        answer,
        head: this.#headOf(answer),
        target: this.#leases.current.url,
        refused: (error) => this.#breakOff(asGatewayError(error)),
        done: () => this.#finish(),
        passedOn: () => this.#passOn(),
      });
    } catch (error) {
      this.#breakOff(asGatewayError(error));
      return;
    }
    this.#delivery.begin();
  }

  received(piece: Buffer): boolean {
    this.#parts.trace?.received(piece.length);
    return this.#delivery!.received(piece);
  }

  ended(trailers: readonly string[]): void {
    this.#leases.release({ kind: "success" });
    this.#delivery!.ended(trailers);
  }

  upgraded(_answer: UpstreamAnswer, socket: Duplex): void {
    // Nobody asked for it, and undici says so before it comes to this.
    socket.destroy();
  }

  failed(failure: FailedAttempt, attempt: Attempt): void {
    const { cause } = failure;
    const { url } = this.#leases.current;
    if (this.#delivery !== undefined) {
      this.#leases.release({ kind: "failure", reason: cause === "timeout" ? "timeout" : "reset" });
      if (this.#delivery.broke(failure.error)) {
        this.#over = true;
        this.#parts.trace?.failed(errorFor(failure, url));
      } else this.#fail(errorFor(failure, url));
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

  /** The answer has reached the client, or will. */
  #finish(): void {
    this.#end();
    // An endpoint may answer before it has read all; what is left of the upload is nobody's.
    if (!this.#call.request.complete) this.#call.request.resume();
  }

  #passOn(): void {
    this.#end();
    this.#parts.trace?.passedOn();
    this.#call.passOn();
  }

  #end(): void {
    this.#over = true;
    this.#body.detach();
    this.#leases.release({ kind: "success" });
    this.#attempt?.abandon();
  }

  #breakOff(error: GatewayError): void {
    if (this.#over) return;
    this.#delivery?.leave();
    this.#attempt?.abandon();
    this.#fail(error);
  }

  #try(fresh: boolean): void {
    const { upstreams, clock } = this.#parts;
    const { endpoint } = this.#leases.current;
    let request: UpstreamRequest;
    try {
      request = addressedTo(endpoint, this.#request);
    } catch (error) {
      this.#fail(error as GatewayError);
      return;
    }
    this.#attemptedAtMs = clock.now();
    this.#attempt = new Attempt({ upstreams, endpoint, observer: this });
    this.#attempt.begin(request, this.#body.open(), { fresh });
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

  readonly #fail = (error: GatewayError): void => {
    this.#over = true;
    this.#body.detach();
    this.#leases.release({ kind: "cancelled" });
    this.#failed(error);
  };

  readonly #clientClosed = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#body.detach();
    this.#leases.release({ kind: "cancelled" });
    this.#delivery?.leave();
    this.#attempt?.abandon();
  };
}

function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("LB_UPSTREAM_INVALID", "The answer's head cannot be sent on", { cause: error });
}
