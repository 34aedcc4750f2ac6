import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Answer, type Call, clientAddressOf } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { connectionOf } from "../gateway/upgrades.ts";
import { sendAnswer } from "./send-answer.ts";

/** A request of Fastify. */
export class FastifyCall implements Call {
  readonly frameworkRequest: FastifyRequest;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #reply: FastifyReply;
  readonly #prefix: MountPrefix | undefined;
  #taken = false;

  constructor(request: FastifyRequest, reply: FastifyReply, prefix?: MountPrefix) {
    this.frameworkRequest = request;
    this.request = request.raw;
    this.response = reply.raw;
    this.#reply = reply;
    this.#prefix = prefix;
  }

  get parameters(): Readonly<Record<string, unknown>> {
    return this.frameworkRequest.params as Readonly<Record<string, unknown>>;
  }

  get target(): string {
    const { url = "/" } = this.request;
    return this.#prefix === undefined ? url : this.#prefix.strip(url);
  }

  get originalTarget(): string {
    return this.frameworkRequest.originalUrl;
  }

  get mountPath(): string {
    return this.#prefix?.of(this.originalTarget) ?? "";
  }

  /** Fastify tells only by its list of addresses, so a peer that sends no X-Forwarded-For is not trusted. */
  get peerTrusted(): boolean {
    return (this.frameworkRequest.ips?.length ?? 0) > 1;
  }

  get clientAddress(): string {
    return clientAddressOf(this.frameworkRequest.ip, this.request);
  }

  get encrypted(): boolean {
    return this.frameworkRequest.protocol === "https";
  }

  get body(): unknown {
    return this.frameworkRequest.body;
  }

  /** Its parsers are not at work here. */
  get rawBody(): undefined {
    return undefined;
  }

  setHeader(name: string, value: string): void {
    this.#reply.header(name, value);
  }

  takeResponse(): void {
    this.#taken = true;
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) this.response.setHeader(name, value!);
    this.#reply.hijack();
  }

  onceOver(over: () => void): void {
    connectionOf(this.request, this.response).once("close", over);
  }

  answer(answer: Answer): void {
    const { status, headers, body } = answer;
    if (this.#taken) sendAnswer(this.request, this.response, answer);
    else this.#reply.code(status).headers(headers).send(body);
  }

  passOn(): void {
    this.#reply.callNotFound();
  }

  fail(error: GatewayError): void {
    // Fastify's error handling is past by then.
    if (this.#taken) this.answer(errorAnswer(this, error));
    else this.#reply.send(error);
  }

  log(error: GatewayError): void {
    this.frameworkRequest.log.warn({ err: error }, "The request was not relayed");
  }
}

/** The prefix of a plugin, as many segments as it has: parameters and encoded characters in it make its length vary. */
export class MountPrefix {
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    const segments = prefix.split("/").filter((segment) => segment !== "").length;
    this.#pattern = new RegExp(`^(?:[a-z][a-z0-9+.-]*://[^/?#]*)?((?:/+[^/?]+){${segments}})`, "i");
  }

  /** Undefined for a target that does not begin with as many segments. */
  of(target: string): string | undefined {
    return this.#pattern.exec(target)?.[1];
  }

  /** @throws GatewayError `LB_REQUEST_INVALID` for a target that does not begin with as many segments */
  strip(target: string): string {
    const found = this.#pattern.exec(target);
    if (found === null)
      throw new GatewayError("LB_REQUEST_INVALID", "The path does not begin with the plugin's prefix");
    const rest = target.slice(found[0].length);
    return rest.startsWith("/") ? rest : `/${rest}`;
  }
}
