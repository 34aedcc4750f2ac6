import type { KeyObject } from "node:crypto";
import type { WallClock } from "@lb/core/kit";
import { AcmeError } from "./errors.ts";
import { signRequest } from "./jws.ts";
import { refusal } from "./problem.ts";
import type { Answer, Transport } from "./transport.ts";

/** Where what is done there (RFC 8555 §7.1.1, RFC 9773 §4.1). */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly renewalInfo: string | undefined;
  readonly terms: string | undefined;
}

export interface AuthorityOptions {
  readonly url: string;
  readonly transport: Transport;
  readonly wallClock: WallClock;
}

export interface Post {
  readonly url: string;
  readonly key: KeyObject;
  /** The account's URL, once there is one. */
  readonly account?: string | undefined;
  /** Undefined: it only asks. */
  readonly payload?: object | undefined;
  /** For the message, e.g. `"The order"`. */
  readonly what: string;
  readonly accept?: string;
}

/** How often a nonce may be refused in a row: authorities forget them, and test ones do it on purpose. */
const maxNonceTries = 10;

/** A certificate authority that speaks ACME: signed requests, each with a nonce that it gave. */
export class Authority {
  readonly #options: AuthorityOptions;
  #directory: Directory | undefined;
  /** Each is good for one request; the last one that came is the youngest. */
  #nonce: string | undefined;

  constructor(options: AuthorityOptions) {
    this.#options = options;
  }

  /** Its addresses, asked for once. */
  async directory(): Promise<Directory> {
    this.#directory ??= await this.#readDirectory();
    return this.#directory;
  }

  /** What nobody needs to sign. */
  async get(url: string, what: string): Promise<Answer> {
    const answer = await this.#options.transport.send(url, "GET");
    if (answer.status !== 200) throw refusal(answer, what, this.#options.wallClock());
    return answer;
  }

  /** @throws AcmeError for every answer that is no success */
  async post({ url, key, account, payload, what, accept }: Post): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      const nonce = await this.#takeNonce();
      const body = signRequest({ key, url, nonce, account, payload });
      const answer = await this.#options.transport.send(url, "POST", body, accept);
      this.#keepNonce(answer);
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = refusal(answer, what, this.#options.wallClock());
      if (error.type !== "badNonce" || tries === maxNonceTries) throw error;
    }
  }

  async #readDirectory(): Promise<Directory> {
    const { url } = this.#options;
    const answer = await this.get(url, `The directory ${url}`);
    const read = readJson(answer, "The directory");
    const { meta } = read as { readonly meta?: { readonly termsOfService?: unknown } };
    return {
      newNonce: addressIn(read, "newNonce"),
      newAccount: addressIn(read, "newAccount"),
      newOrder: addressIn(read, "newOrder"),
      renewalInfo: isAddress(read["renewalInfo"]) ? read["renewalInfo"] : undefined,
      terms: isAddress(meta?.termsOfService) ? meta.termsOfService : undefined,
    };
  }

  async #takeNonce(): Promise<string> {
    const kept = this.#nonce;
    this.#nonce = undefined;
    if (kept !== undefined) return kept;
    const { newNonce } = await this.directory();
    const answer = await this.#options.transport.send(newNonce, "HEAD");
    if (answer.status >= 300) throw refusal(answer, "A nonce", this.#options.wallClock());
    const nonce = nonceIn(answer);
    if (nonce === undefined) throw new AcmeError("LB_ACME_ANSWER", "The authority gives no nonce.");
    return nonce;
  }

  #keepNonce(answer: Answer): void {
    this.#nonce = nonceIn(answer) ?? this.#nonce;
  }
}

function nonceIn({ headers }: Answer): string | undefined {
  const nonce = headers["replay-nonce"];
  return typeof nonce === "string" && /^[\w-]{1,1000}$/.test(nonce) ? nonce : undefined;
}

/** @throws AcmeError `LB_ACME_ANSWER` */
export function readJson({ body }: Answer, what: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(body.toString());
    if (typeof read === "object" && read !== null) return read as Record<string, unknown>;
  } catch {
    // As what is no object.
  }
  throw new AcmeError("LB_ACME_ANSWER", `${what}: the authority's answer is no object in JSON.`);
}

/** @throws AcmeError `LB_ACME_ANSWER` */
export function addressIn(read: Readonly<Record<string, unknown>>, name: string): string {
  const value = read[name];
  if (isAddress(value)) return value;
  throw new AcmeError("LB_ACME_ANSWER", `The authority's answer has no address as "${name}".`);
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("https://") && URL.canParse(value);
}
