import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { options } from "./validation.ts";

/** Who may, by name and password, as RFC 7617 has them. Only over TLS they are nobody else's. */
export interface BasicAuthOptions {
  /** Passwords by names; `"sha256:"` and the digest in hexadecimal in place of a password. */
  readonly users: Readonly<Record<string, string>>;
  /** What browsers show. Default `"Restricted"`. */
  readonly realm?: string;
}

export interface BasicAuthSettings {
  readonly users: Readonly<Record<string, string>>;
  readonly realm: string;
}

const userRemedy = 'give names without a colon, and a password for each: { ann: "…" }';

export const basicAuthSchema = options({
  users: required(
    v.pipe(
      v.record(
        v.pipe(v.string(userRemedy), v.regex(/^[^:\p{Cc}]{1,128}$/u, userRemedy)),
        v.pipe(v.string(userRemedy), v.minLength(1, userRemedy), v.maxLength(256, userRemedy)),
        userRemedy,
      ),
      v.check((users) => Object.keys(users).length > 0, userRemedy),
      v.check((users) => Object.keys(users).length <= 1_024, "give 1,024 users at most"),
    ),
    'passwords by names; `"sha256:<hex>"`: its digest in place of a password',
  ),
  realm: option(
    v.pipe(
      v.string("give a text"),
      v.regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}$/, "give printable ASCII without quotes"),
    ),
    "Restricted",
    "what browsers show",
  ),
} satisfies EntriesOf<BasicAuthOptions>);
