import * as v from "valibot";
import {
  type AffinityOptions,
  type AffinityRule,
  type AffinitySettings,
  cookieDefaults,
  ipDefaults,
  type RuleSettings,
} from "../affinity/settings.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import { milliseconds, oneOf, options, secretText, secretRemedy as textRemedy, wholeNumber } from "./validation.ts";

/** No browser keeps a cookie for longer (RFC 6265bis). */
const maxTtlMs = 400 * 86_400_000;
const secretRemedy = `${textRemedy}, or a list of such texts`;

const secret = v.optional(
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
);

/** A token (RFC 9110 §5.6.2): the grammar of header names and of cookie names. */
function token(remedy: string) {
  return v.pipe(v.string(remedy), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, remedy));
}

const pathRemedy = 'give a path that begins with "/", without spaces and ";"';

const cookie = options({
  name: v.optional(token('give a cookie name, e.g. "lb"'), cookieDefaults.name),
  ttlMs: v.optional(milliseconds(1_000, maxTtlMs), cookieDefaults.ttlMs),
  path: v.optional(v.pipe(v.string(pathRemedy), v.regex(/^\/[\x21-\x3a\x3c-\x7e]*$/, pathRemedy)), cookieDefaults.path),
  secret,
});

const ip = options({
  ipv4PrefixLength: v.optional(wholeNumber(1, 32), ipDefaults.ipv4PrefixLength),
  ipv6PrefixLength: v.optional(wholeNumber(1, 128), ipDefaults.ipv6PrefixLength),
});

const queryRemedy = 'give the name of a query parameter as a URL shows it, e.g. "room"';

/** A rule in its long form: an object with one key, its kind. */
const rule = v.pipe(
  options({
    cookie: v.optional(cookie),
    ip: v.optional(ip),
    header: v.optional(token('give the name of a header, e.g. "x-user-id"')),
    query: v.optional(v.pipe(v.string(queryRemedy), v.regex(/^(?!.*[&=#])[\x21-\x7e]+$/, queryRemedy))),
    key: v.optional(
      v.custom<Extract<AffinityRule, { readonly key: unknown }>["key"]>(
        (value) => typeof value === "function",
        "give a function that takes a request and returns a string or undefined",
      ),
    ),
    "socket.io": v.optional(options({ secret })),
  }),
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

/** The `affinity` option, wherever it occurs. */
export const affinitySchema = v.pipe(
  v.lazy((input): v.GenericSchema<unknown, RuleSettings[]> => {
    if (Array.isArray(input)) return ruleList;
    const alone = v.transform((settings: RuleSettings) => [settings]);
    return v.pipe(anyRule, alone);
  }),
  v.transform((rules) => Object.freeze(rules.map((settings) => Object.freeze(settings)))),
) as unknown as v.GenericSchema<AffinityOptions, AffinitySettings>;

function isOnce(kind: RuleSettings["kind"]) {
  return (rules: RuleSettings[]) => rules.filter((settings) => settings.kind === kind).length <= 1;
}
