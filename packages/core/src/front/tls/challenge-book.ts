import { createSecureContext, type SecureContext } from "node:tls";
import { type Challenges, noChallenges } from "../../model/challenges.ts";

/** What certificate authorities may be asking for at the moment. */
export class ChallengeBook {
  #http: ReadonlyMap<string, string> = new Map();
  #alpn: ReadonlyMap<string, SecureContext> = new Map();

  /** In place of those that were there. */
  set({ http, alpn }: Challenges = noChallenges): void {
    this.#http = new Map(Object.entries(http));
    this.#alpn = new Map(Object.entries(alpn).map(([name, pair]) => [name, createSecureContext(pair)]));
  }

  /** What is answered to HTTP-01. */
  answerTo(token: string): string | undefined {
    return this.#http.get(token);
  }

  /** Some handshakes may be questions of TLS-ALPN-01. */
  get expectsHandshakes(): boolean {
    return this.#alpn.size > 0;
  }

  contextFor(name: string): SecureContext | undefined {
    return this.#alpn.get(name.toLowerCase());
  }
}
