import type { Clock } from "@lb/core";
import type { Call } from "../call.ts";
import type { GatewayError, GatewayErrorCode } from "../errors.ts";

import { tell } from "./user-function.ts";

/**
 * `"answered"`: the client has a whole answer; `"failed"`: one of ours, or a cut one; `"left"`: the client did not wait for it;
 * `"next"`: what comes next in the app answers.
 */
export type RequestOutcome = "answered" | "failed" | "left" | "next";

/** One request, when it is over. */
export interface RequestLogEntry {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly clientAddress: string;
  readonly outcome: RequestOutcome;
  /** Undefined: the client got none from here. 101 for a WebSocket. */
  readonly status: number | undefined;
  /** The URL of the last target that was tried. */
  readonly target: string | undefined;
  readonly attempts: number;
  /** From its head to the end of the answer, or of the WebSocket. */
  readonly durationMs: number;
  /** Of the target's body. */
  readonly bodyBytes: number;
  readonly error: GatewayErrorCode | undefined;
}

export type RequestLog<Request = unknown> = (entry: RequestLogEntry, request: Request) => void;

/** What is noted of one request while it is under way. */
export class RequestTrace {
  readonly #call: Call;
  readonly #log: RequestLog;
  readonly #clock: Clock;
  readonly #beganAtMs: number;
  /** They are the framework's, which may forget them. */
  readonly #facts: Pick<RequestLogEntry, "method" | "url" | "clientAddress">;
  #target: string | undefined;
  #attempts = 0;
  #bodyBytes = 0;
  #error: GatewayErrorCode | undefined;
  #upgraded = false;
  #isOver = false;

  constructor(call: Call, { log, clock }: { readonly log: RequestLog; readonly clock: Clock }) {
    this.#call = call;
    this.#log = log;
    this.#clock = clock;
    this.#beganAtMs = clock.now();
    const { originalTarget: url, clientAddress } = call;
    this.#facts = { method: call.request.method ?? "GET", url, clientAddress };
    call.onceOver(() => this.#end());
  }

  tried(target: string): void {
    this.#target = target;
    this.#attempts++;
  }

  received(bytes: number): void {
    this.#bodyBytes += bytes;
  }

  failed({ code }: GatewayError): void {
    this.#error = code;
  }

  upgraded(): void {
    this.#upgraded = true;
  }

  passedOn(): void {
    this.#say("next", undefined);
  }

  #end(): void {
    const { headersSent, statusCode, writableFinished } = this.#call.response;
    const status = this.#upgraded ? 101 : headersSent ? statusCode : undefined;
    if (this.#error !== undefined) this.#say("failed", status);
    else this.#say(this.#upgraded || writableFinished ? "answered" : "left", status);
  }

  #say(outcome: RequestOutcome, status: number | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const entry: RequestLogEntry = {
      ...this.#facts,
      outcome,
      status,
      target: this.#target,
      attempts: this.#attempts,
      durationMs: this.#clock.now() - this.#beganAtMs,
      bodyBytes: this.#bodyBytes,
      error: this.#error,
    };
    tell(() => this.#log(Object.freeze(entry), this.#call.frameworkRequest));
  }
}
