import * as v from "valibot";
import type { NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import { type EntriesOf, option } from "./option.ts";
import {
  callback,
  milliseconds,
  type OptionGroup,
  oneOf,
  options,
  secretText,
  secretRemedy as textRemedy,
  wholeNumber,
  withEntries,
} from "./validation.ts";

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

/** No browser keeps a cookie for longer (RFC 6265bis). */
const maxTtlMs = 400 * 86_400_000;
const secretRemedy = `${textRemedy}, or a list of such texts`;

const secret = option(
  v.lazy((input): v.GenericSchema<string | readonly string[], NonEmpty<string>> => {
    if (!Array.isArray(input))
      return v.pipe(
        secretText,
        v.transform((text): NonEmpty<string> => [text]),
      );
    const list = v.pipe(v.array(secretText), v.minLength(1, secretRemedy));
    return v.pipe(
      list,
      v.transform((texts) => Object.freeze(texts) as unknown as NonEmpty<string>),
    );
  }),
  undefined,
  "at least 16 characters; or a list, of which the first signs and all verify",
  { otherwise: "random" },
);

/** A token (RFC 9110 §5.6.2): the grammar of header names and of cookie names. */
function token(remedy: string) {
  return v.pipe(v.string(remedy), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, remedy));
}

const pathRemedy = 'give a path that begins with "/", without spaces and ";"';

const cookie = options({
  name: option(token('give a cookie name, e.g. "lb"'), "lb", "one that the app does not use"),
  ttlMs: option(milliseconds(1_000, maxTtlMs), 86_400_000, "how long a client that does not come back is remembered"),
  path: option(
    v.pipe(v.string(pathRemedy), v.regex(/^\/[\x21-\x3a\x3c-\x7e]*$/, pathRemedy)),
    "/",
    "the cookie's Path attribute",
  ),
  secret,
} satisfies EntriesOf<CookieOptions>);

const ip = options({
  ipv4PrefixLength: option(wholeNumber(1, 32), 32, "how many bits of an IPv4 address count"),
  ipv6PrefixLength: option(wholeNumber(1, 128), 64, "how many of an IPv6 address"),
} satisfies EntriesOf<IpOptions>);

const queryRemedy = 'give the name of a query parameter as a URL shows it, e.g. "room"';

const forms = options({
  cookie: option(
    cookie,
    undefined,
    "a cookie of ours names the instance: sealed, HttpOnly, SameSite=Lax, taken out before the app sees it; as HAProxy's `insert indirect nocache`",
    { written: '`"cookie"`, `{ cookie: { name, ttlMs, path, secret } }`' },
  ),
  ip: option(ip, undefined, "the client's address, or its network; that which a trusted proxy names", {
    written: '`"ip"`, `{ ip: { ipv4PrefixLength, ipv6PrefixLength } }`',
  }),
  header: option(token('give the name of a header, e.g. "x-user-id"'), undefined, "the value of a header", {
    written: '`{ header: "x-user" }`',
  }),
  query: option(
    v.pipe(v.string(queryRemedy), v.regex(/^(?!.*[&=#])[\x21-\x7e]+$/, queryRemedy)),
    undefined,
    "the value of a query parameter, as it is written",
    { written: '`{ query: "room" }`' },
  ),
  key: option(
    callback<Extract<AffinityRule, { readonly key: unknown }>["key"]>(
      "give a function that takes a request and returns a string or undefined",
    ),
    undefined,
    "what the function returns",
    { written: "`{ key: (request) => … }`" },
  ),
  "socket.io": option(
    options({ secret } satisfies EntriesOf<SocketIoOptions>),
    undefined,
    "the Engine.IO session id, which begins with what `currentInstance().sessionPrefix` says",
    { written: '`"socket.io"`, `{ "socket.io": { secret } }`' },
  ),
});

/** A rule in its long form: an object with one key, its kind. */
const rule = v.pipe(
  forms,
  v.check(
    (parts) => Object.values(parts).filter((part) => part !== undefined).length === 1,
    'give one rule per object, and several as a list, e.g. ["socket.io", { header: "x-user-id" }]',
  ),
  v.transform((parts): RuleSettings => {
    if (parts.cookie !== undefined) {
      const { secret: secrets, ...rest } = parts.cookie;
      return { kind: "cookie", ...rest, secrets };
    }
    if (parts.ip !== undefined) return { kind: "ip", ...parts.ip };
    if (parts.header !== undefined) return { kind: "header", name: parts.header };
    if (parts.query !== undefined) return { kind: "query", name: parts.query };
    if (parts.key !== undefined) return { kind: "key", key: parts.key };
    return { kind: "socket.io", secrets: parts["socket.io"]?.secret };
  }),
);

const ruleName = v.pipe(
  oneOf(["cookie", "ip", "socket.io"]),
  v.transform((name): unknown => ({ [name]: {} })),
  rule,
);

const anyRule = v.lazy((input): v.GenericSchema<unknown, RuleSettings> => {
  return typeof input === "object" && input !== null ? rule : ruleName;
});

const ruleList = v.pipe(
  v.array(anyRule),
  v.minLength(1, 'give at least one rule, e.g. "cookie"'),
  v.check(isOnce("cookie"), "give one cookie rule; a list of secrets goes into its option"),
  v.check(isOnce("socket.io"), 'give "socket.io" once; a list of secrets goes into its option'),
);

const anyRules = v.pipe(
  v.lazy((input): v.GenericSchema<unknown, RuleSettings[]> => {
    if (Array.isArray(input)) return ruleList;
    const alone = v.transform((settings: RuleSettings) => [settings]);
    return v.pipe(anyRule, alone);
  }),
  v.transform((rules) => Object.freeze(rules.map((settings) => Object.freeze(settings)))),
) as unknown as v.GenericSchema<AffinityOptions, AffinitySettings>;

/** The `affinity` option, wherever it occurs. */
export const affinitySchema = withEntries(anyRules, forms as Partial<OptionGroup>);

function isOnce(kind: RuleSettings["kind"]) {
  return (rules: RuleSettings[]) => rules.filter((settings) => settings.kind === kind).length <= 1;
}
