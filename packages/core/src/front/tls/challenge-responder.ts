import type { RequestHead } from "../../http/request-head.ts";
import type { Responder, Response } from "../responder.ts";
import type { ChallengeBook } from "./challenge-book.ts";

const prefix = "/.well-known/acme-challenge/";

/**
 * Answers a certificate authority that asks for proof of a name (HTTP-01, RFC 8555 §8.3), whatever host it names and before it
 * would be sent to the port with TLS. Tokens that we were not given are the app's affair.
 */
export class ChallengeResponder implements Responder {
  readonly #book: ChallengeBook;

  constructor(book: ChallengeBook) {
    this.#book = book;
  }

  respond({ method, target, framing, upgrade }: RequestHead): Response | undefined {
    if (!target.startsWith(prefix) || (method !== "GET" && method !== "HEAD")) return undefined;
    if (framing.kind !== "none" || upgrade !== undefined) return undefined;
    const body = this.#book.answerTo(target.slice(prefix.length));
    return body === undefined ? undefined : { kind: "answer", reason: "acme-challenge", status: 200, fields, body };
  }
}

const fields = ["Content-Type", "application/octet-stream", "Cache-Control", "no-store"];
