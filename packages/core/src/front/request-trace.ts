import type { RequestHead } from "../http/request-head.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { FinishedRequest, ObservedClient, TrafficObserver } from "./traffic-observer.ts";

/** Where a trace ends, and what it goes by. */
export interface Traced {
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly client: ObservedClient;
  /** Bytes that the client's connection was given so far. */
  readonly written: () => number;
}

/** What is noted of a request on its way, and told at its end, once. Made only where somebody wants to know. */
export class RequestTrace {
  readonly #traced: Traced;
  readonly #request: RequestHead;
  readonly #startedAt: number;
  readonly #writtenBefore: number;
  #requestBytes: number;
  #attempts = 0;
  #endpoint: Endpoint | undefined;
  #leasedAt: number | undefined;
  #respondedAt: number | undefined;
  #status: number | undefined;
  #answeredBy: FinishedRequest["answeredBy"] = "nobody";
  #over = false;

  constructor(traced: Traced, request: RequestHead) {
    this.#traced = traced;
    this.#request = request;
    this.#startedAt = traced.clock.now();
    this.#writtenBefore = traced.written();
    this.#requestBytes = request.byteLength;
  }

  attempted(endpoint: Endpoint): void {
    this.#attempts++;
    this.#endpoint = endpoint;
    this.#leasedAt = this.#traced.clock.now();
  }

  bodyBytes(length: number): void {
    this.#requestBytes += length;
  }

  responded(status: number, by: "app" | "front"): void {
    this.#status = status;
    this.#answeredBy = by;
    this.#respondedAt = this.#traced.clock.now();
  }

  ended(end: FinishedRequest["end"]): void {
    if (this.#over) return;
    this.#over = true;
    const { observer, clock, client, written } = this.#traced;
    const since = (at: number | undefined) => (at === undefined ? undefined : at - this.#startedAt);
    observer.requestFinished?.({
      client,
      request: this.#request,
      status: this.#status,
      answeredBy: this.#answeredBy,
      end,
      endpoint: this.#endpoint,
      attempts: this.#attempts,
      requestBytes: this.#requestBytes,
      responseBytes: written() - this.#writtenBefore,
      times: {
        startedAt: this.#startedAt,
        leasedMs: since(this.#leasedAt),
        respondedMs: since(this.#respondedAt),
        endedMs: clock.now() - this.#startedAt,
      },
    });
  }
}
