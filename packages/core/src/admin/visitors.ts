import { randomBytes } from "node:crypto";
import { addressKey } from "../affinity/address-key.ts";
import { soleValue } from "../affinity/pair-list.ts";
import { KnownToken, KnownUsers } from "../http/known-users.ts";
import type { Clock } from "../model/clock.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import { FailedAttempts } from "../rates/failed-attempts.ts";

/** What a request shows of who sends it. */
export interface Shown {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** Of the link, where it is opened. */
  readonly token: string | undefined;
  /** Cookies know no ports: their names have to. */
  readonly cookieName: string;
  /** Undefined: it came by a Unix socket. */
  readonly remoteAddress: string | undefined;
}

/** `by`: as what somebody is let in, for the log. */
export type Admission =
  | { readonly kind: "in"; readonly by: string }
  /** By the link: has the cookie from now on. */
  | { readonly kind: "signs-in"; readonly cookie: string }
  | { readonly kind: "out"; readonly status: 401 | 429; readonly fields: Readonly<Record<string, string>> };

/** One network is one guesser. */
const networks = { ipv4PrefixLength: 32, ipv6PrefixLength: 64 };

/** Of what is made here: nobody guesses it, however often he may try. */
const secretBytes = 24;

/** What was made here, and not given: those who have it are let in by another process, too, that has it. */
export interface VisitorSecrets {
  readonly session: string;
  readonly linkToken?: string | undefined;
}

const newSecret = () => randomBytes(secretBytes).toString("base64url");

/** Who is let in: by the credentials of the option `auth`; without it at a port by the link, at a Unix socket whoever can connect. */
export class Visitors {
  /** The link's, which is made at the start; undefined: there are credentials, or none are needed. */
  readonly linkToken: string | undefined;
  readonly #clock: Clock;
  readonly #known: { knows(authorization: string | undefined): boolean; readonly by: string } | undefined;
  readonly #failed = new FailedAttempts();
  /** What the cookie of those has who opened the link. */
  readonly session: string;
  readonly #knownSession: KnownToken;

  constructor(
    { place, credentials }: Pick<AdminSettings, "place" | "credentials">,
    clock: Clock,
    before?: VisitorSecrets,
  ) {
    this.#clock = clock;
    this.session = before?.session ?? newSecret();
    this.#knownSession = new KnownToken(this.session);
    const made = credentials === undefined && place.kind === "tcp";
    this.linkToken = made ? (before?.linkToken ?? newSecret()) : undefined;
    this.#known = knownBy(credentials ?? (made ? { kind: "token", token: this.linkToken! } : undefined));
  }

  judge({ authorization, cookie, token, cookieName, remoteAddress = "" }: Shown): Admission {
    if (this.#known === undefined) return { kind: "in", by: "the socket" };
    const session = cookie === undefined ? undefined : soleValue(cookie, cookieName, ";");
    // Nobody guesses a session: that of an earlier cluster is no attempt.
    if (session !== undefined && this.#knownSession.knows(`Bearer ${session}`)) return this.#in();
    const given = token === undefined ? authorization : `Bearer ${token}`;
    const isGuess = given !== undefined && this.linkToken === undefined;
    const [address, now] = [addressKey(remoteAddress, networks), this.#clock.now()];
    const waitMs = isGuess ? this.#failed.waitMs(address, now) : 0;
    if (waitMs > 0) return out(429, { "retry-after": String(Math.ceil(waitMs / 1_000)) });
    if (this.#known.knows(given)) {
      return token === undefined ? this.#in() : { kind: "signs-in", cookie: `${cookieName}=${this.session}` };
    }
    // Who gives nothing has not guessed: browsers ask so first.
    if (isGuess) this.#failed.failed(address, now);
    const scheme = this.linkToken === undefined ? 'Basic realm="lb", charset="UTF-8"' : 'Bearer realm="lb"';
    return out(401, { "www-authenticate": scheme });
  }

  #in(): Admission {
    return { kind: "in", by: this.#known!.by };
  }
}

function out(status: 401 | 429, fields: Readonly<Record<string, string>>): Admission {
  return { kind: "out", status, fields };
}

function knownBy(credentials: AdminSettings["credentials"]) {
  if (credentials === undefined) return undefined;
  if (credentials.kind === "token") {
    const known = new KnownToken(credentials.token);
    return { knows: (given: string | undefined) => known.knows(given), by: "token" };
  }
  const { user, password } = credentials;
  const known = new KnownUsers({ [user]: password });
  return { knows: (given: string | undefined) => known.knows(given), by: user };
}
