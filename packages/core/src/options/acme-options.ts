import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { oneOf, options } from "./validation.ts";

/** Ties a new account to one that somebody has with the authority already (RFC 8555 §7.3.4). */
export interface ExternalAccount {
  /** What the authority calls the key. */
  readonly keyId: string;
  /** In base64url, as the authority gives it. */
  readonly hmacKey: string;
}

/** A certificate that is asked for, proved and renewed without anybody's help (ACME, RFC 8555). */
export interface AcmeSettings {
  /** The certificate's names, e.g. `["example.com", "www.example.com"]`. No wildcards: those are proved by DNS alone. */
  readonly domains: readonly string[];
  /** You agree to the authority's terms. */
  readonly agreeTos: true;
  /** Where the authority writes to when something is wrong. Default: nowhere. */
  readonly email?: string | undefined;
  /** The authority. Default `"https://acme-v02.api.letsencrypt.org/directory"`: Let's Encrypt. */
  readonly directory: string;
  /**
   * Where account and certificate are kept: a directory that is this user's alone, and that several machines may share. Default:
   * in `STATE_DIRECTORY` (systemd's), else in `XDG_STATE_HOME`, else in `~/.local/state`.
   */
  readonly storage?: string | undefined;
  /**
   * How names are proved: `"http-01"` over port 80 of each, `"tls-alpn-01"` over port 443. Default: the first, and after a
   * failure the other one in turn.
   */
  readonly challenge?: "http-01" | "tls-alpn-01" | undefined;
  /** For authorities that ask for an account of theirs. */
  readonly eab?: ExternalAccount | undefined;
  /** One of the authority's kinds of certificates, e.g. Let's Encrypt's `"shortlived"`. Default: the authority's own choice. */
  readonly profile?: string | undefined;
  /** The root certificate of an authority that Node.js does not know, such as a company's own: a PEM file, or PEM. */
  readonly ca?: string | undefined;
}

/** {@link AcmeSettings} as a user writes them: what is left out has the default named there. */
export type AcmeOptions = Pick<AcmeSettings, "domains" | "agreeTos"> & Partial<AcmeSettings>;

const nameRemedy = 'give host names such as "example.com": no address, no wildcard (those are proved by DNS alone)';

/** With a letter in its last part, so that it is no address. */
const domain = v.pipe(
  v.string(nameRemedy),
  v.toLowerCase(),
  v.regex(/^(?=.{1,253}$)([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+(?=\d*[a-z])[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/, nameRemedy),
);

const text = (remedy: string) => v.pipe(v.string(remedy), v.nonEmpty(remedy));

const eabSchema = options({
  keyId: required(text("give the key's id"), "what the authority calls the key"),
  hmacKey: required(
    v.pipe(v.string("give a text"), v.regex(/^[\w-]+={0,2}$/, "give the key in base64url, as the authority shows it")),
    "the key, in base64url",
  ),
} satisfies EntriesOf<ExternalAccount>);

export const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

const directoryRemedy = "give the URL of an ACME directory, with https";

export const acmeSchema = options({
  domains: required(
    v.pipe(v.array(domain, nameRemedy), v.minLength(1, nameRemedy), v.maxLength(100, "give 100 names at most")),
    "the certificate's names; no wildcards",
  ),
  agreeTos: required(
    v.literal(true, "say true if you agree to the authority's terms: it gives no certificates without"),
    "`true`: you agree to the authority's terms",
  ),
  email: option(
    v.pipe(
      v.string("give an address"),
      v.regex(/^[^\s@,?]+@[^\s@,?]+$/, 'give an address such as "admin@example.com"'),
    ),
    undefined,
    "where the authority writes to when something is wrong",
    {
      otherwise: "nowhere",
      flag: { name: "--email <address>", group: "Cluster", help: "where the certificate authority writes to" },
    },
  ),
  directory: option(
    v.pipe(v.string(directoryRemedy), v.url(directoryRemedy), v.startsWith("https://", directoryRemedy)),
    letsEncrypt,
    "the authority",
    {
      otherwise: "Let's Encrypt",
      flag: { name: "--acme <url>", group: "Cluster", help: "the certificate authority's directory" },
    },
  ),
  storage: option(
    text("give a directory"),
    undefined,
    "where account and certificate are kept; machines may share it",
    {
      otherwise: "`~/.local/state/lb/acme`, see [tls.md](tls.md)",
    },
  ),
  challenge: option(
    oneOf(["http-01", "tls-alpn-01"]),
    undefined,
    "how names are proved: over port 80, or over port 443",
    { otherwise: "the one, after a failure the other" },
  ),
  eab: option(eabSchema, undefined, "`{ keyId, hmacKey }`, for authorities that ask for an account of theirs", {
    otherwise: "none",
  }),
  profile: option(
    text("give a name"),
    undefined,
    'one of the authority\'s kinds of certificates, e.g. `"shortlived"`',
    {
      otherwise: "the authority's choice",
    },
  ),
  ca: option(
    text("give the path of a PEM file, or what is in it"),
    undefined,
    "the root of an authority that Node.js does not know: a PEM file, or PEM",
    { otherwise: "those of Node.js" },
  ),
} satisfies EntriesOf<AcmeSettings>);
