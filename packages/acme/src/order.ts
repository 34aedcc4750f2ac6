import { X509Certificate } from "node:crypto";
import type { Clock } from "@lb/core";
import {
  type Challenges,
  certificateRequest,
  type IssuedCertificate,
  noChallenges,
  type WallClock,
} from "@lb/core/kit";
import { type Account, newKey } from "./account.ts";
import { type Authority, addressIn, readJson } from "./authority.ts";
import { AcmeError } from "./errors.ts";
import { thumbprint } from "./jws.ts";
import { poll } from "./polling.ts";
import { type Problem, problemText, retryAfter } from "./problem.ts";
import { type ChallengeKind, challengesOf, type Proof } from "./proof.ts";

export interface OrderOptions {
  readonly authority: Authority;
  readonly account: Account;
  readonly domains: readonly string[];
  /** By which names are to be proved, where the authority lets one choose. */
  readonly challenge: ChallengeKind;
  readonly profile: string | undefined;
  /** Which certificate this one is in place of (RFC 9773 §5). */
  readonly replaces: string | undefined;
  readonly present: (challenges: Challenges) => Promise<void>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly signal: AbortSignal;
}

type Json = Readonly<Record<string, unknown>>;

/** One certificate, from asking for it to having it (RFC 8555 §7.4). */
export class Order {
  readonly #options: OrderOptions;

  constructor(options: OrderOptions) {
    this.#options = options;
  }

  /** @throws AcmeError */
  async certificate(): Promise<IssuedCertificate> {
    const { url, read } = await this.#open();
    const { authorizations } = read;
    if (!isAddresses(authorizations)) throw new AcmeError("LB_ACME_ANSWER", "The order has no authorizations.");
    await this.#prove(authorizations);
    const key = newKey();
    const names = this.#options.domains.map((name) => ({ kind: "dns", name }) as const);
    const csr = certificateRequest(names, key).toString("base64url");
    await this.#poll("The order", url, (order) => (statusOf(order) === "pending" ? undefined : true));
    await this.#post(addressIn(read, "finalize"), "The order", { csr });
    const address = await this.#poll("The order", url, (order) => {
      return statusOf(order) === "valid" ? addressIn(order, "certificate") : undefined;
    });
    const { body } = await this.#post(address, "The certificate", undefined, "application/pem-certificate-chain");
    const pem = key.export({ type: "pkcs8", format: "pem" }) as string;
    return checked({ cert: body.toString(), key: pem }, this.#options.domains);
  }

  async #open(): Promise<{ readonly url: string; readonly read: Json }> {
    const { authority, domains, profile, replaces } = this.#options;
    const { newOrder } = await authority.directory();
    const payload = {
      identifiers: domains.map((value) => ({ type: "dns", value })),
      ...(profile !== undefined && { profile }),
    };
    const replacing = replaces === undefined ? payload : { ...payload, replaces };
    const answer = await this.#post(newOrder, "The order", replacing).catch((error: AcmeError) => {
      // What was replaced already, or is of another account, needs no mention.
      const mentioned = error.type === "alreadyReplaced" || (error.type === "malformed" && replaces !== undefined);
      if (!mentioned) throw error;
      return this.#post(newOrder, "The order", payload);
    });
    const { location } = answer.headers;
    if (location === undefined) throw new AcmeError("LB_ACME_ANSWER", "The authority does not say where the order is.");
    return { url: location, read: readJson(answer, "The order") };
  }

  /** All names at once: what is valid from before is left out. */
  async #prove(authorizations: readonly string[]): Promise<void> {
    const { present, wallClock } = this.#options;
    const wanted: { readonly authorization: string; readonly challenge: string; readonly proof: Proof }[] = [];
    for (const authorization of authorizations) {
      const read = readJson(await this.#post(authorization, "An authorization"), "An authorization");
      if (read["status"] !== "valid") wanted.push({ authorization, ...this.#choose(read) });
    }
    if (wanted.length === 0) return;
    try {
      await present(
        challengesOf(
          wanted.map(({ proof }) => proof),
          wallClock(),
        ),
      );
      for (const { challenge, proof } of wanted) await this.#post(challenge, `The proof of ${proof.domain}`, {});
      for (const { authorization, proof } of wanted) {
        await this.#poll(`The proof of ${proof.domain}`, authorization, (read) => {
          if (read["status"] === "valid") return true;
          if (read["status"] === "pending") return undefined;
          throw failed(`${proof.domain} could not be proved by ${proof.kind}`, errorIn(read));
        });
      }
    } finally {
      await present(noChallenges);
    }
  }

  #choose(authorization: Json): { readonly challenge: string; readonly proof: Proof } {
    const { identifier, challenges } = authorization as { identifier?: { value?: unknown }; challenges?: unknown };
    const domain = identifier?.value;
    const offered = Array.isArray(challenges) ? (challenges as readonly Json[]) : [];
    const chosen =
      offered.find(({ type }) => type === this.#options.challenge) ??
      offered.find(({ type }) => type === "http-01" || type === "tls-alpn-01");
    const token = chosen?.["token"];
    if (
      typeof domain !== "string" ||
      chosen === undefined ||
      typeof token !== "string" ||
      !/^[\w-]{1,500}$/.test(token)
    ) {
      throw new AcmeError(
        "LB_ACME_ANSWER",
        `The authority offers no way to prove ${String(domain)} by http-01 or tls-alpn-01.`,
      );
    }
    const keyAuthorization = `${token}.${thumbprint(this.#options.account.key)}`;
    const kind = chosen["type"] as ChallengeKind;
    return { challenge: addressIn(chosen, "url"), proof: { kind, domain, token, keyAuthorization } };
  }

  #post(url: string, what: string, payload?: object, accept?: string) {
    const { authority, account } = this.#options;
    return authority.post({
      url,
      key: account.key,
      account: account.url,
      payload,
      what,
      ...(accept !== undefined && { accept }),
    });
  }

  #poll<Result>(what: string, url: string, judge: (read: Json) => Result | undefined): Promise<Result> {
    const { clock, wallClock, signal } = this.#options;
    const look = async () => {
      const answer = await this.#post(url, what);
      return { done: judge(readJson(answer, what)), retryAfterMs: retryAfter(answer, wallClock()) };
    };
    return poll({ look, what, clock, signal });
  }
}

/** @throws AcmeError if the authority has given it up */
function statusOf({ status, error }: Json): unknown {
  if (status === "invalid") throw failed("The order", error);
  return status;
}

function isAddresses(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
}

/** Of the challenge that was tried. */
function errorIn({ challenges }: Json): unknown {
  const tried = Array.isArray(challenges) ? (challenges as readonly Json[]) : [];
  return tried.find(({ error }) => error !== undefined)?.["error"];
}

function failed(what: string, problem: unknown): AcmeError {
  const known = typeof problem === "object" && problem !== null ? (problem as Problem) : {};
  return new AcmeError("LB_ACME_CHALLENGE", `${what}: ${problemText(known)}`);
}

/** What the authority gave is what was asked for. */
function checked(issued: IssuedCertificate, domains: readonly string[]): IssuedCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(issued.cert);
  } catch (cause) {
    throw new AcmeError("LB_ACME_ANSWER", "The authority gave no certificate in PEM.", { cause });
  }
  const missing = domains.find((domain) => certificate.checkHost(domain) === undefined);
  if (missing === undefined) return issued;
  throw new AcmeError("LB_ACME_ANSWER", `The authority gave a certificate that is not for ${missing}.`);
}
