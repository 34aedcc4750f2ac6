import { addressKey } from "../../affinity/address-key.ts";
import { normaliseAddress } from "../../http/address.ts";
import { RateTable } from "../../hub/rate-table.ts";
import type { Clock } from "../../model/clock.ts";
import type { HandshakeRateSettings } from "../../options/https-options.ts";

export interface HandshakeRateOptions {
  readonly settings: HandshakeRateSettings;
  /** Many clients come by way of a proxy of ours. */
  readonly isProxy: (address: string) => boolean;
  readonly clock: Clock;
}

/** What one client may have of an IPv6 network is a /64 as a rule. */
const networks = { ipv4PrefixLength: 32, ipv6PrefixLength: 64 };
/** Addresses that are remembered; beyond it those go that would be forgotten first. */
const maxAddresses = 16_384;

/** How often an address may begin a handshake. */
export class HandshakeRate {
  readonly #options: HandshakeRateOptions;
  readonly #rate: { readonly points: number; readonly windowMs: number; readonly burst: number };
  readonly #table = new RateTable(maxAddresses);

  constructor(options: HandshakeRateOptions) {
    this.#options = options;
    const { perSecond, burst } = options.settings;
    this.#rate = { points: perSecond, windowMs: 1_000, burst: burst - 1 };
  }

  /** `address` undefined: it has none, as it came by a Unix socket, or is gone. */
  allows(address: string | undefined): boolean {
    if (address === undefined) return true;
    const { isProxy, clock } = this.#options;
    const peer = normaliseAddress(address);
    if (isProxy(peer)) return true;
    return this.#table.take(addressKey(peer, networks), this.#rate, clock.now()).allowed;
  }
}
