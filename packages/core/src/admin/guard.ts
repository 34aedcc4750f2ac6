import { isIP } from "node:net";
import { addressKey } from "../affinity/address-key.ts";
import { hostIn } from "../http/host-list.ts";
import { KnownToken, KnownUsers } from "../http/known-users.ts";
import type { Clock } from "../model/clock.ts";
import type { AdminCredentials, AdminSettings } from "../options/admin-options.ts";
import { FailedAttempts } from "../rates/failed-attempts.ts";

/** A request as far as it decides whether it may pass. */
export interface AskedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  /** Undefined: it came by a Unix socket. */
  readonly remoteAddress: string | undefined;
}

export type Verdict =
  | { readonly kind: "passes"; readonly url: URL }
  | { readonly kind: "refused"; readonly status: number; readonly fields: Readonly<Record<string, string>> };

/** One network is one guesser. */
const networks = { ipv4PrefixLength: 32, ipv6PrefixLength: 64 };

/** Stands before everything that the admin listener answers. */
export class AdminGuard {
  readonly #settings: Pick<AdminSettings, "place" | "allowedHosts">;
  readonly #clock: Clock;
  readonly #known: KnownUsers | KnownToken | undefined;
  readonly #failed = new FailedAttempts();

  constructor({ place, allowedHosts, credentials }: AdminSettings, clock: Clock) {
    this.#settings = { place, allowedHosts };
    this.#clock = clock;
    this.#known = credentials && knownBy(credentials);
  }

  judge({ method, target, host, authorization, remoteAddress }: AskedRequest): Verdict {
    if (!this.#isOurs(host)) return refused(421);
    if (method !== "GET" && method !== "HEAD") return refused(405, { allow: "GET, HEAD" });
    // In absolute form it could name another host than the field does.
    if (!target.startsWith("/") || !URL.canParse(target, base)) return refused(400);
    return this.#admits(authorization, remoteAddress) ?? { kind: "passes", url: new URL(target, base) };
  }

  /**
   * A page of another site can have its own name lead here (DNS rebinding), but then that name is what browsers ask for: an address
   * is nobody's name. No browser reaches a Unix socket.
   */
  #isOurs(field: string | undefined): boolean {
    const { place, allowedHosts } = this.#settings;
    if (place.kind === "unix") return true;
    if (field === undefined) return false;
    const host = hostIn(field);
    if (host === "localhost" || host === place.host.toLowerCase() || allowedHosts.has(host)) return true;
    return isIP(host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host) !== 0;
  }

  #admits(authorization: string | undefined, remoteAddress = ""): Verdict | undefined {
    if (this.#known === undefined) return undefined;
    const [address, now] = [addressKey(remoteAddress, networks), this.#clock.now()];
    const waitMs = this.#failed.waitMs(address, now);
    if (waitMs > 0) return refused(429, { "retry-after": String(Math.ceil(waitMs / 1_000)) });
    if (this.#known.knows(authorization)) return undefined;
    // Who gives nothing has not guessed: browsers ask so first.
    if (authorization !== undefined) this.#failed.failed(address, now);
    return refused(401, { "www-authenticate": 'Basic realm="lb", charset="UTF-8"' });
  }
}

const base = "http://lb.invalid";

function refused(status: number, fields: Readonly<Record<string, string>> = {}): Verdict {
  return { kind: "refused", status, fields };
}

function knownBy(credentials: AdminCredentials): KnownUsers | KnownToken {
  return credentials.kind === "token"
    ? new KnownToken(credentials.token)
    : new KnownUsers({ [credentials.user]: credentials.password });
}
