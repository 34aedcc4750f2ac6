import { pipeline, Readable } from "node:stream";
import type { Call } from "../call.ts";
import { after, isPromise } from "./after.ts";
import { AnswerBody } from "./answer-body.ts";
import type { Attempt, UpstreamAnswer } from "./attempt.ts";
import { addTrailers, cut, isGone } from "./client-message.ts";
import type { GatewaySettings } from "./options.ts";
import { type ClientHead, mayTrail, pairsOf, ruledHead, writeHead } from "./response-head.ts";
import { type HookedAnswer, hookedAnswer } from "./response-hook.ts";
import type { ResponseHook } from "./response-options.ts";

export interface DeliveryOptions {
  readonly settings: GatewaySettings;
  readonly call: Call;
  readonly attempt: Pick<Attempt, "hold" | "resume">;
  readonly answer: UpstreamAnswer;
  /** What the client gets of the answer's head, unless functions of the app's have it otherwise. */
  readonly head: ClientHead;
  /** The URL that it came from. */
  readonly target: string;
  /** Nothing of it was sent, and nothing will be. */
  readonly refused: (error: unknown) => void;
  /** Nothing more of the endpoint is wanted. */
  readonly done: () => void;
  /** As `done`, and the request is for what comes next in the app. */
  readonly passedOn: () => void;
}

/**
 * Bytes that may wait for a client. More than one read of an endpoint's connection, which Node writes after this turn
 * only: to hold the endpoint back for each would cost more than the bytes.
 */
const maxBufferedBytes = 131_072;

/** One answer on its way to the client, as it comes or as functions of the app's have it. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #state: "deciding" | "answering" | "over" = "deciding";
  #headSent = false;
  /** The answer's body, while it is the app's to read in place of the client. */
  #forApp: AnswerBody | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  begin(): void {
    try {
      const decided = this.#decide();
      if (!isPromise(decided)) return;
      if (this.#forApp === undefined) this.#options.attempt.hold();
      decided.then(undefined, this.#refuse);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** False: no more before the attempt is resumed, which this does by itself. */
  received(piece: Buffer): boolean {
    if (this.#forApp !== undefined) return this.#forApp.received(piece);
    const { response } = this.#options.call;
    this.#headSent = true;
    // Destroyed by the app, which is told of by "close", in a moment.
    if (isGone(response) || response.write(piece) || response.writableLength < maxBufferedBytes) return true;
    response.once("drain", () => this.#options.attempt.resume());
    return false;
  }

  ended(trailers: readonly string[]): void {
    if (this.#forApp !== undefined) {
      this.#forApp.ended();
      return;
    }
    const { response } = this.#options.call;
    if (trailers.length > 0) addTrailers(response, pairsOf(trailers).filter(mayTrail));
    response.end();
    this.#end();
  }

  /** The endpoint broke off. True: the client has seen some of its answer, and now that it is cut. */
  broke(error: Error): boolean {
    const wasDeciding = this.#state === "deciding";
    this.#state = "over";
    this.#forApp?.failed(error);
    if (wasDeciding) return false;
    // No last chunk, and no kept connection.
    cut(this.#options.call.response);
    return true;
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#state = "over";
    this.#forApp?.failed(new Error("The client has left"));
  }

  #decide(): void | PromiseLike<void> {
    const { settings, call, head, passedOn } = this.#options;
    const { onResponse, headers } = settings;
    const hooked = onResponse === undefined ? { head, body: undefined } : this.#hook(onResponse);
    return after(hooked, (verdict) => {
      if (this.#state !== "deciding") return;
      if (verdict === "next") {
        this.#state = "over";
        passedOn();
        return;
      }
      const rules = { rules: headers.response, request: call.frameworkRequest };
      return after(ruledHead(call.response, verdict.head, rules), (ruled) => {
        if (this.#state === "deciding") this.#answer({ head: ruled, body: verdict.body });
      });
    });
  }

  #hook(hook: ResponseHook) {
    const { settings, call, attempt, answer, head, target } = this.#options;
    const contentEncoding = answer.headers["content-encoding"];
    this.#forApp = new AnswerBody({ attempt, contentEncoding, maxBytes: settings.limits.maxRewrittenBytes });
    attempt.hold();
    const { method = "GET" } = call.request;
    return hookedAnswer(hook, { head, body: this.#forApp, target, method, request: call.frameworkRequest });
  }

  #answer({ head, body }: HookedAnswer): void {
    const { call, attempt } = this.#options;
    const { response } = call;
    call.takeResponse();
    writeHead(response, head);
    this.#state = "answering";
    if (body === undefined) {
      this.#forApp = undefined;
      // It leaves with the first bytes; a stream that says nothing yet, such as server-sent events, must not wait for them.
      process.nextTick(this.#flushHead);
      attempt.resume();
    } else if (body instanceof Readable) pipeline(body, response, this.#end);
    else {
      response.end(body);
      this.#end();
    }
  }

  readonly #refuse = (error: unknown): void => {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#options.refused(error);
  };

  readonly #end = (): void => {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#options.done();
  };

  readonly #flushHead = (): void => {
    if (this.#state === "answering" && !this.#headSent) this.#options.call.response.flushHeaders();
  };
}
