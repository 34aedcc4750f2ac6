import type { NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";

/**
 * What signs: a text of at least 16 characters, e.g. of `openssl rand -hex 32`, or a list of them, of which the first
 * signs and all verify. To change a secret on several machines, append the new one everywhere, then move it to the
 * front everywhere, then remove the old one. Default: the secret that another rule of the list names, else a random one
 * of this start, which no other machine knows and which ends with the primary.
 */
export type Secret = string | readonly string[];

/**
 * As HAProxy's `cookie … insert indirect nocache`: the first response names the slot that gave it in a cookie, later
 * requests go there, and the app sees nothing of it. It names the slot and not the process, so restarts and reloads
 * leave it valid; when the slot is gone, is draining or fails, the request goes elsewhere and the cookie with it.
 *
 * The value is sealed: it can be neither read nor made up. It holds nothing of the client: those who got theirs at
 * about the same time for one slot hold the same value.
 */
export interface CookieOptions {
  /** Default `"lb"`. Choose one that the app does not use; the app does not see cookies of this name. */
  readonly name?: string;
  /**
   * For how long a client that does not come back is remembered, in milliseconds: HAProxy's `maxidle`. The cookie is
   * renewed once half of it has passed, so whoever comes back within half of it stays. At least 1,000, at most 400 days,
   * as browsers allow. Default 86,400,000, one day.
   */
  readonly ttlMs?: number;
  /** The cookie's Path attribute. Default `"/"`. Change the name along with it: of two cookies of one name, none counts. */
  readonly path?: string;
  readonly secret?: Secret;
}

/** Requests from one address, or from one network, go to one endpoint. */
export interface IpOptions {
  /** How many bits of an IPv4 address count, 1 to 32. Default 32, all of them. */
  readonly ipv4PrefixLength?: number;
  /** The same for IPv6, 1 to 128. Default 64: within its /64 a client changes its address as it likes (RFC 8981). */
  readonly ipv6PrefixLength?: number;
}

/**
 * Requests of an Engine.IO session go where it was opened, which its `sid` tells by a prefix that the workers put there.
 * Nothing is remembered, so a session that its worker does not know gets that worker's own answer. A request without
 * a session falls to the next rule.
 */
export interface SocketIoOptions {
  readonly secret?: Secret;
}

/** One way to tell where a request belongs; one that finds nothing in a request leaves it to the next. */
export type AffinityRule =
  | "cookie"
  | { readonly cookie: CookieOptions }
  | "ip"
  | { readonly ip: IpOptions }
  /** The value of this header. */
  | { readonly header: string }
  /** The value of this parameter in the target's query, as it is written there: neither is decoded. */
  | { readonly query: string }
  /** What the function returns: a string, or undefined where the request has none. */
  | { readonly key: (request: RequestView) => string | undefined }
  | "socket.io"
  | { readonly "socket.io": SocketIoOptions };

/** Which requests belong together: one rule, or several in order of precedence, at most one cookie among them. */
export type AffinityOptions = AffinityRule | readonly AffinityRule[];

export interface CookieSettings {
  readonly kind: "cookie";
  readonly name: string;
  readonly ttlMs: number;
  readonly path: string;
  /** Undefined: see {@link Secret}. */
  readonly secrets: NonEmpty<string> | undefined;
}

export interface IpSettings {
  readonly kind: "ip";
  readonly ipv4PrefixLength: number;
  readonly ipv6PrefixLength: number;
}

interface SocketIoSettings {
  readonly kind: "socket.io";
  readonly secrets: NonEmpty<string> | undefined;
}

export type RuleSettings =
  | CookieSettings
  | IpSettings
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "query"; readonly name: string }
  | { readonly kind: "key"; readonly key: (request: RequestView) => string | undefined }
  | SocketIoSettings;

/** {@link AffinityOptions}, checked and completed: in order of precedence, no two cookies, no two Socket.IOs. */
export type AffinitySettings = NonEmpty<RuleSettings>;

export const cookieDefaults: Omit<CookieSettings, "kind" | "secrets"> = Object.freeze({
  name: "lb",
  ttlMs: 86_400_000,
  path: "/",
});

export const ipDefaults: Omit<IpSettings, "kind"> = Object.freeze({ ipv4PrefixLength: 32, ipv6PrefixLength: 64 });
