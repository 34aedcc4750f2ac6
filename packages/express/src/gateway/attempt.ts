import type { IncomingHttpHeaders } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type { UrlEndpoint } from "@lb/core";
import type { Client, Dispatcher } from "undici";
import { causeOf, type FailedAttempt } from "./failure.ts";
import type { UpstreamRequest } from "./upstream-request.ts";
import type { Upstreams } from "./upstreams.ts";

/** The head of what an endpoint answered. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value; names as the endpoint wrote them. */
  readonly fields: readonly string[];
  readonly headers: IncomingHttpHeaders;
}

/** Who is told what becomes of an attempt: its answer, or that it failed, at any time. */
export interface AttemptObserver {
  /** An interim response (1xx), of which there may be several before the answer. */
  informed(answer: UpstreamAnswer): void;
  answered(answer: UpstreamAnswer, attempt: Attempt): void;
  /** A part of the body; false: no more before `attempt.resume()`. */
  received(piece: Buffer): boolean;
  /** The body was complete. Trailers: name, value, name, value. */
  ended(trailers: readonly string[]): void;
  /** 101: from here on `socket` belongs to the observer. */
  upgraded(answer: UpstreamAnswer, socket: Duplex): void;
  failed(failure: FailedAttempt, attempt: Attempt): void;
}

export interface AttemptOptions {
  readonly upstreams: Upstreams;
  readonly endpoint: UrlEndpoint;
  readonly observer: AttemptObserver;
}

/** One request to one endpoint, sent by undici. Once it was abandoned its observer hears no more of it. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #upstreams: Upstreams;
  readonly #endpoint: UrlEndpoint;
  readonly #observer: AttemptObserver;
  #client: Client | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #reused = false;
  #over = false;

  constructor({ upstreams, endpoint, observer }: AttemptOptions) {
    this.#upstreams = upstreams;
    this.#endpoint = endpoint;
    this.#observer = observer;
  }

  /** It went over a connection that had been idle. */
  get reused(): boolean {
    return this.#reused;
  }

  /** `fresh`: over a new connection, whether or not there is one that waits. */
  begin(
    { method, path, headers }: UpstreamRequest,
    body: Readable | Buffer | null,
    { fresh = false, upgrade = false }: { readonly fresh?: boolean; readonly upgrade?: boolean } = {},
  ): void {
    const waiting = fresh ? undefined : this.#upstreams.takeIdle(this.#endpoint);
    this.#reused = waiting !== undefined;
    this.#client = waiting ?? this.#upstreams.open(this.#endpoint);
    this.#client.dispatch(
      {
        method,
        path,
        headers,
        body,
        servername: anyName,
        ...(upgrade ? { upgrade: "websocket" } : {}),
      } as Dispatcher.DispatchOptions,
      this,
    );
  }

  /** No part of the body before `resume()`. */
  hold(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  /** Breaks it off, and the connection with it. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(abandoned);
    // undici would make another connection in place of one that was broken off.
    void this.#client?.destroy();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) controller.abort(abandoned);
    else this.#controller = controller;
  }

  onRequestUpgrade(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#over = true;
    this.#observer.upgraded({ status, statusText: "", fields: fieldsOf(rawHeaders), headers }, socket);
  }

  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText = "",
  ): void {
    if (this.#over) return;
    const answer = { status, statusText, fields: fieldsOf(rawHeaders), headers };
    if (status < 200) this.#observer.informed(answer);
    else this.#observer.answered(answer, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (!this.#over && !this.#observer.received(piece)) controller.pause();
  }

  onResponseEnd({ rawTrailers }: Dispatcher.DispatchController): void {
    this.#upstreams.keep(this.#endpoint, this.#client!);
    if (this.#over) return;
    this.#over = true;
    this.#observer.ended(fieldsOf(rawTrailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    void this.#client?.destroy();
    this.#observer.failed({ cause: causeOf(error, this.#controller !== undefined), error }, this);
  }
}

/**
 * undici makes a new TLS connection where this differs from the request before, and takes it from Host unless it is
 * given. Which name the certificate has to have is the connector's affair.
 */
const anyName = "upstream";

const abandoned = new Error("The attempt was abandoned");

function fieldsOf(raw: Dispatcher.DispatchController["rawHeaders"]): readonly string[] {
  if (!Array.isArray(raw)) return noFields;
  return raw.map((part) => (typeof part === "string" ? part : part.toString("latin1")));
}

const noFields: readonly string[] = Object.freeze([]);
