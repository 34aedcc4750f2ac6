import type { IncomingMessage, ServerResponse } from "node:http";
import { bearerToken, forwardingFields, type HealthAnswer, type HealthCheck, pathOf } from "../../ipc/health-check.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { contained } from "../agent-faults.ts";
import { noteOwnAnswer } from "./own-answers.ts";
import { noteOurs } from "./response-fields.ts";

export interface HealthRelayOptions {
  /** Where health checks come to. */
  readonly path: string;
  readonly clock: Clock;
  /** Asks the primary, which calls `answered` with the same number. */
  readonly ask: (id: number, check: HealthCheck) => void;
}

interface Waiting {
  readonly answered: (answer: HealthAnswer | undefined) => void;
  readonly timer: Timer;
}

/** A primary that takes longer is not well, which is an answer too. */
const answerMs = 2_000;
/** More at a time are answered 503 without asking. */
const maxWaiting = 256;
const unknown: HealthAnswer = Object.freeze({ status: 503, body: '{"status":"unknown"}' });

/**
 * Health checks of the public port on connections that are with this worker already: the primary, which knows how the
 * cluster is, says what to answer.
 */
export class HealthRelay {
  readonly #options: HealthRelayOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** Requests that came by way of somebody who is not trusted. */
  readonly #indirect = new WeakSet<IncomingMessage>();
  #lastId = 0;

  constructor(options: HealthRelayOptions) {
    this.#options = options;
  }

  /** The primary said what to answer to check `id`; undefined: it is a request for the app. */
  answered(id: number, answer: HealthAnswer | undefined): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    waiting.answered(answer);
  }

  /** Looks at a request as the client sent it, before fields that are not to be believed are taken out. */
  note(request: IncomingMessage): void {
    if (!this.#concerns(request)) return;
    if (forwardingFields.some((name) => request.headers[name] !== undefined)) this.#indirect.add(request);
  }

  /** True: it is answered, or passed on later. */
  take(request: IncomingMessage, response: ServerResponse, clientAddress: string, pass: () => void): boolean {
    const { method, url = "/", headers } = request;
    if (!this.#concerns(request) || (method !== "GET" && method !== "HEAD")) return false;
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) return false;
    const token = bearerToken(headers.authorization);
    const check = { path: pathOf(url), clientAddress, indirect: this.#indirect.has(request), token };
    const answered = (answer: HealthAnswer | undefined) => {
      if (answer === undefined) pass();
      else send(response, answer);
    };
    if (this.#waiting.size >= maxWaiting) {
      answered(unknown);
      return true;
    }
    const id = ++this.#lastId;
    const timer = this.#options.clock.after(
      answerMs,
      contained("a health check that is overdue", () => this.answered(id, unknown)),
    );
    this.#waiting.set(id, { answered, timer });
    this.#options.ask(id, check);
    return true;
  }

  #concerns({ url = "/" }: IncomingMessage): boolean {
    return url.startsWith(this.#options.path);
  }
}

function send(response: ServerResponse, { status, body }: HealthAnswer): void {
  noteOwnAnswer(response, "health");
  noteOurs(response);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
  });
  response.end(body);
}
