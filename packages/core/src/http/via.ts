import { listElements } from "./octets.ts";
import type { RequestFields } from "./request-fields.ts";

/**
 * So often a request may come back to us: something behind us that forwards requests may well forward them to us. What goes
 * round in a circle comes back for ever.
 */
const maxReturns = 3;
/** Proxies on the way of one request, whoever they are. Those who reach us through several clouds count five. */
const maxProxies = 32;

/**
 * How requests that go to other machines are known again if they come back (RFC 9110 §7.6.3).
 *
 * The pseudonym is the same in all processes of a cluster, and no other cluster's; a token, such as `lb-5f3a9c01`.
 */
export class Via {
  /** Added to each request that leaves: after what those before us have said. */
  readonly line: string;
  readonly #pseudonym: string;

  constructor(pseudonym: string) {
    this.#pseudonym = pseudonym;
    this.line = `Via: 1.1 ${pseudonym}\r\n`;
  }

  /** The request goes round in circles: 508. Costs a comparison where nobody has forwarded it. */
  isLoop({ via }: RequestFields): boolean {
    if (via === undefined) return false;
    const proxies = listElements(via);
    return proxies.length > maxProxies || proxies.filter((one) => this.#isOurs(one)).length >= maxReturns;
  }

  #isOurs(proxy: string): boolean {
    const [, receivedBy] = proxy.split(/[ \t]+/, 2);
    return receivedBy === this.#pseudonym;
  }
}
