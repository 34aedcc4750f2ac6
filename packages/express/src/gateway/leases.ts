import { type Endpoint, LbError, type Outcome, UnavailableError, type UrlLease } from "@lb/core";
import { mayRetry, outcomeOf, type RetryCause } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { CallView } from "./call-view.ts";
import type { GatewayParts } from "./parts.ts";
import { authorityOf } from "./upstreams.ts";

/** Seconds after which a client that found no target may try again. */
const retryAfterSeconds = 1;

/** The leases that one request takes, one after the other, and whether it may take another. */
export class Leases {
  readonly #parts: GatewayParts;
  readonly #call: Call;
  readonly #view: CallView;
  readonly #startedAtMs: number;
  #current: UrlLease | undefined;
  #made = 0;
  #tried: Set<Endpoint> | undefined;

  constructor(parts: GatewayParts, call: Call) {
    this.#parts = parts;
    this.#call = call;
    this.#view = new CallView(call);
    this.#startedAtMs = parts.clock.now();
  }

  get current(): UrlLease {
    return this.#current!;
  }

  /** Calls `taken` with the first lease, possibly at once, or `refused` with why there is none. */
  take(taken: () => void, refused: (error: GatewayError) => void): void {
    const lease = this.#parts.balancer.tryAcquire(this.#view);
    if (lease !== undefined) {
      this.#use(lease);
      taken();
      return;
    }
    const waiting = new AbortController();
    const leave = () => waiting.abort();
    const { response } = this.#call;
    response.once("close", leave);
    this.#parts.balancer.acquireOrWait(this.#view, { signal: waiting.signal }).then(
      (found) => {
        response.off("close", leave);
        // It may have closed between the lease and this call.
        if (waiting.signal.aborted) found.release({ kind: "cancelled" });
        else {
          this.#use(found);
          taken();
        }
      },
      (error: unknown) => {
        response.off("close", leave);
        if (!waiting.signal.aborted) refused(unavailable(error));
      },
    );
  }

  /** What the response gets besides its own header fields: name, value, name, value. */
  ownFields(): readonly string[] {
    const fields = this.current.responseFields(this.#call.encrypted);
    if (!this.#parts.settings.backendHeader) return fields;
    return [...fields, "X-Backend-Server", authorityOf(this.current.endpoint)];
  }

  observe(outcome: Outcome): void {
    this.#current?.observe(outcome);
  }

  release(outcome: Outcome): void {
    this.#current?.release(outcome);
  }

  /**
   * Ends the current lease as failed; true: another one has been taken, try again there. `sent`: the endpoint may have
   * acted on the request. `replayable`: there is a whole request to send.
   */
  replace(cause: RetryCause, { sent, replayable }: { readonly sent: boolean; readonly replayable: boolean }): boolean {
    const failed = this.current;
    failed.release(outcomeOf(cause));
    return this.#next(failed, cause, sent, replayable);
  }

  /** As `replace`, but the current lease stays as it is where there is no other. */
  replaceIfPossible(cause: RetryCause, parts: { readonly sent: boolean; readonly replayable: boolean }): boolean {
    const failed = this.current;
    if (!this.#next(failed, cause, parts.sent, parts.replayable)) return false;
    failed.release(outcomeOf(cause));
    return true;
  }

  #next(failed: UrlLease, cause: RetryCause, sent: boolean, replayable: boolean): boolean {
    const { settings, clock, balancer } = this.#parts;
    this.#tried ??= new Set();
    this.#tried.add(failed.endpoint);
    const { method = "GET" } = this.#call.request;
    const elapsedMs = clock.now() - this.#startedAtMs;
    if (!mayRetry(settings.retry, { cause, method, sent, replayable, made: this.#made, elapsedMs })) return false;
    const lease = balancer.tryAcquire(this.#view, this.#tried);
    if (lease === undefined) return false;
    if (!balancer.withdrawRetry()) {
      lease.release({ kind: "cancelled" });
      return false;
    }
    this.#use(lease);
    return true;
  }

  #use(lease: UrlLease): void {
    this.#current = lease;
    this.#made++;
    this.#parts.trace?.tried(lease.url);
  }
}

function unavailable(error: unknown): GatewayError {
  const message = error instanceof UnavailableError ? error.message : "No target could be chosen";
  if (error instanceof LbError && !(error instanceof UnavailableError)) {
    return new GatewayError("LB_RULE", error.message, { cause: error });
  }
  return new GatewayError("LB_UNAVAILABLE", message, { cause: error, retryAfterSeconds });
}
