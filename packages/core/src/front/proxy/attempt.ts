import type { Lease } from "../../balancer/balancer.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled, type Outcome } from "../../model/outcome.ts";
import type { UpstreamStream } from "../transport/upstream.ts";
import type { Backend, EndpointPlace } from "./pool.ts";

/**
 * One try at one endpoint: the lease on it, and the stream that has the request. They end together. One object an exchange,
 * used again and again.
 */
export class Attempt {
  /** Undefined: it has not reached its endpoint, or has ended. */
  stream: UpstreamStream | undefined;
  /** The endpoint will take another request on the stream. */
  reusable = false;
  #lease: Lease | undefined;
  #backend: Backend | undefined;
  #outcome: Outcome = cancelled;
  #sentAt = 0;
  #paused = false;

  get endpoint(): Endpoint {
    return this.#lease!.endpoint;
  }

  /** Response header lines that are added for who has answered. */
  get responseLines(): string {
    return this.#backend!.responseLines;
  }

  get place(): EndpointPlace | undefined {
    return this.#backend!.place;
  }

  /** The endpoint is to send no more for now. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Since the request went to the endpoint. */
  tookMs(now: number): number {
    return now - this.#sentAt;
  }

  begin(lease: Lease): void {
    this.#lease = lease;
    this.#paused = false;
  }

  sent(stream: UpstreamStream, backend: Backend, now: number): void {
    this.stream = stream;
    this.#backend = backend;
    this.#sentAt = now;
  }

  answered(status: number, reusable: boolean, now: number): void {
    this.#outcome = { kind: "response", status, latencyMs: now - this.#sentAt };
    this.reusable = reusable;
    this.#lease!.answered();
  }

  pause(): void {
    if (!this.#paused) this.stream?.pause();
    this.#paused = true;
  }

  /** False: it was not paused. */
  resume(): boolean {
    if (!this.#paused) return false;
    this.#paused = false;
    this.stream?.resume();
    return true;
  }

  /** The response is complete. */
  settle(reuseStream: boolean): void {
    const stream = this.stream;
    this.stream = undefined;
    if (reuseStream) stream?.release();
    else stream?.destroy();
    this.#release(this.#outcome);
  }

  giveUp(outcome: Outcome): void {
    const stream = this.stream;
    this.stream = undefined;
    stream?.destroy();
    this.#release(outcome);
  }

  /** It goes on as a tunnel, whose these are from here on. */
  detach(): { readonly stream: UpstreamStream; readonly lease: Lease; readonly outcome: Outcome } {
    const stream = this.stream!;
    const lease = this.#lease!;
    this.stream = undefined;
    this.#lease = undefined;
    return { stream, lease, outcome: this.#outcome };
  }

  #release(outcome: Outcome): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release(outcome);
  }
}
