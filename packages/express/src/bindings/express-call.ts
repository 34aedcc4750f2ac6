import type { IncomingMessage, ServerResponse } from "node:http";
import { occasionalWarnings, systemClock } from "@lb/core/kit";
import { type Answer, type Call, clientAddressOf, type Guard } from "../call.ts";
import type { GatewayError } from "../errors.ts";
import { connectionOf } from "../gateway/upgrades.ts";
import { sendAnswer } from "./send-answer.ts";

/** The `next` of Express and Connect. */
export type Next = (error?: unknown) => void;

/** What Express, 4 or 5, adds to a request. All is optional: plain Connect, or `node:http`, does as well. */
interface ExpressParts {
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly ip?: string | undefined;
  readonly secure?: boolean;
  readonly body?: unknown;
  readonly rawBody?: unknown;
  readonly app?: { get?(name: string): unknown };
}

const noParameters = Object.freeze({});
const warn = occasionalWarnings(systemClock);

/** A request of Express or Connect. */
export class ExpressCall implements Call {
  readonly request: IncomingMessage & ExpressParts;
  readonly response: ServerResponse;
  readonly #next: Next;

  constructor(request: IncomingMessage, response: ServerResponse, next: Next) {
    this.request = request;
    this.response = response;
    this.#next = next;
  }

  get frameworkRequest(): IncomingMessage {
    return this.request;
  }

  get parameters(): Readonly<Record<string, unknown>> {
    return this.request.params ?? noParameters;
  }

  get target(): string {
    return this.request.url ?? "/";
  }

  get originalTarget(): string {
    return this.request.originalUrl ?? this.target;
  }

  /** Connect has no `baseUrl`. */
  get mountPath(): string {
    const { baseUrl } = this.request;
    if (baseUrl !== undefined) return baseUrl;
    const [whole, rest] = [this.originalTarget, this.target].map((target) => target.split("?", 1)[0]!);
    return (whole!.endsWith(rest!) ? whole!.slice(0, -rest!.length) : whole!).replace(/\/$/, "");
  }

  get peerTrusted(): boolean {
    const trusts = this.request.app?.get?.("trust proxy fn");
    const address = this.request.socket.remoteAddress;
    return typeof trusts === "function" && address !== undefined && trusts(address, 0) === true;
  }

  get clientAddress(): string {
    return clientAddressOf(this.request.ip, this.request);
  }

  get encrypted(): boolean {
    const { secure, socket } = this.request;
    return secure ?? ("encrypted" in socket && socket.encrypted === true);
  }

  get body(): unknown {
    return this.request.body;
  }

  /** By the name that a parser's `verify`, NestJS and others give it. */
  get rawBody(): Buffer | undefined {
    const { rawBody } = this.request;
    return Buffer.isBuffer(rawBody) ? rawBody : undefined;
  }

  setHeader(name: string, value: string): void {
    this.response.setHeader(name, value);
  }

  takeResponse(): void {}

  onceOver(over: () => void): void {
    connectionOf(this.request, this.response).once("close", over);
  }

  answer(answer: Answer): void {
    sendAnswer(this.request, this.response, answer);
  }

  passOn(): void {
    this.#next();
  }

  fail(error: GatewayError): void {
    this.#next(error);
  }

  /** Express has no log of its own, and what is the app's fault would be a bare 500 to whoever wrote it. */
  log(error: GatewayError, heard: boolean): void {
    if (!heard && error.status === 500) warn(error);
  }
}

/** What Express and Connect mount. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

export function middlewareOf(guard: Guard): Middleware {
  return (request, response, next) => {
    const call = new ExpressCall(request, response, next);
    const verdict = guard(call);
    if (verdict instanceof Promise) verdict.then((answer) => proceed(call, answer, next), next);
    else proceed(call, verdict, next);
  };
}

function proceed(call: ExpressCall, answer: Answer | undefined, next: Next): void {
  if (answer === undefined) next();
  else call.answer(answer);
}
