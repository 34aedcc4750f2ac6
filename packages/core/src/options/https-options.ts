import * as v from "valibot";
import { type AcmeOptions, type AcmeSettings, acmeSchema } from "./acme-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { hostName, maxPort } from "./tcp-address.ts";
import { milliseconds, offOr, oneOf, options, positiveNumber, wholeNumber, yesOrNo } from "./validation.ts";

/** A certificate and its key: paths of files, or PEM itself. */
export interface CertificateSettings {
  /** The certificate, with those behind it that lead to a root. */
  readonly cert: string;
  readonly key: string;
  /** The key's, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** Which certificates of clients are good (mutual TLS). */
export interface ClientCertificateSettings {
  /** Who signs them: files, or PEM. */
  readonly ca: string | readonly string[];
  /** Turns clients away in the handshake that have none, or one that is not good. Default true. Else they are as those who have none. */
  readonly require: boolean;
  /** Those that are revoked: a file, or PEM. Of each of the `ca`; while it has expired nobody's certificate is good. */
  readonly crl?: string | undefined;
}

/** How often an address may begin a handshake; of IPv6, a /64 is one address. */
export interface HandshakeRateSettings {
  /** On average. Default 10. */
  readonly perSecond: number;
  /** At once. Default 100. */
  readonly burst: number;
}

/** A second public port, with TLS. */
export interface HttpsSettings {
  /** Default 443. 0 lets the system choose. */
  readonly port: number;
  /** Default: the option `host`. */
  readonly host?: string | undefined;
  /** A client gets the one that is for the host which it names, else the first. Default none: `acme` or `localhost` gives one. */
  readonly certificates: readonly CertificateSettings[];
  /** Asks a certificate authority for one and renews it, by the package `@lb/acme`. Default: there is none. */
  readonly acme?: AcmeSettings | undefined;
  /**
   * Makes one for `localhost`, `127.0.0.1` and `::1`, of an authority of this user's own, for development; a text is the directory
   * where both are kept. Default false.
   */
  readonly localhost: boolean | string;
  /**
   * Asks clients for certificates: `{ ca: "clients.pem" }`. The app sees one that is good by `Client-Cert` (RFC 9440),
   * `X-Client-Cert-Subject` and `X-Client-Cert-Fingerprint`. Default false.
   */
  readonly clientCertificates: false | ClientCertificateSettings;
  /** Mozilla's: `"intermediate"`, the default, is TLS 1.2 and 1.3, `"modern"` TLS 1.3 alone. */
  readonly profile: "intermediate" | "modern";
  /**
   * Milliseconds for which a client may resume its session instead of a whole handshake. The keys of its ticket are in memory
   * alone; there is a new one as often, and the last one is still good. Default 43,200,000 (12 hours).
   */
  readonly sessionMs: number;
  /** Turns clients away that name a host for which there is no certificate. Default false. */
  readonly strictSni: boolean;
  /** Milliseconds from a connection to the end of its handshake; then it is closed. Default 10,000. */
  readonly handshakeTimeoutMs: number;
  /** Handshakes under way at the same time; a connection more is closed. Default 1,024. */
  readonly maxHandshakes: number;
  /**
   * How often one address may begin a handshake, `trustedProxies` excepted: `{ perSecond, burst }`; a connection more is closed.
   * Many people may share an address. Default false: as often as it likes.
   */
  readonly handshakeRate: false | HandshakeRateSettings;
}

/** {@link HttpsSettings} as a user writes them: what is left out has the default named there. */
export type HttpsOptions = Partial<Omit<HttpsSettings, "acme" | "clientCertificates" | "handshakeRate">> & {
  readonly handshakeRate?: false | Partial<HandshakeRateSettings>;
  readonly acme?: AcmeOptions | undefined;
  readonly clientCertificates?: false | ClientCertificateOptions;
};

/** {@link ClientCertificateSettings} as a user writes them. */
export type ClientCertificateOptions = Pick<ClientCertificateSettings, "ca"> & Partial<ClientCertificateSettings>;

/** TLS 1.3 allows no more (RFC 8446, 4.6.1): a week. */
const maxSessionMs = 604_800_000;

/** One of its own for each option: what is said of that stands in it. */
const pemOrPath = () =>
  v.pipe(
    v.string("give the path of a PEM file, or what is in it"),
    v.nonEmpty("give the path of a PEM file, or what is in it"),
  );

export const certificateSchema = options({
  cert: required(pemOrPath(), "the certificate and its chain: a PEM file, or PEM"),
  key: required(pemOrPath(), "its private key"),
  passphrase: option(v.string("give a text"), undefined, "of the key, if it has one"),
} satisfies EntriesOf<CertificateSettings>);

const clientCertificateSchema = options({
  ca: required(
    v.union([pemOrPath(), v.pipe(v.array(pemOrPath()), v.minLength(1))], "give a PEM file, or PEM, or a list of them"),
    "who signs the certificates of clients: PEM files, or PEM",
  ),
  require: option(yesOrNo(), true, "who has none that is good is turned away in the handshake"),
  crl: option(pemOrPath(), undefined, "those that are revoked: a PEM file, or PEM"),
} satisfies EntriesOf<ClientCertificateSettings>);

const handshakeRateSchema = options({
  perSecond: option(positiveNumber(), 10, "on average"),
  burst: option(wholeNumber(1), 100, "at once"),
} satisfies EntriesOf<HandshakeRateSettings>);

export const certificatesSchema = v.array(certificateSchema, "give a list of { cert, key }");

export const httpsSchema = options({
  port: option(wholeNumber(0, maxPort), 443, "where it listens; 0 lets the system choose", {
    flag: {
      name: "--https-port <port>",
      group: "Cluster",
      help: "the public port with TLS",
      fallback: "443; 3443 for localhost",
    },
  }),
  host: option(hostName, undefined, "the address", { otherwise: "`host`" }),
  certificates: option(
    certificatesSchema,
    [],
    "`[{ cert, key, passphrase? }]`: files or PEM; a client gets the one for the host it names, else the first",
    { otherwise: "none" },
  ),
  acme: option(acmeSchema, undefined, "one that a certificate authority is asked for; see [tls.md](tls.md)", {
    otherwise: "none",
  }),
  localhost: option(
    v.union([yesOrNo(), v.pipe(v.string(), v.nonEmpty())], "give true, or the directory where it is kept"),
    false,
    "one for `localhost` of your own making, for development; see [tls.md](tls.md)",
  ),
  clientCertificates: option(
    offOr(clientCertificateSchema),
    false,
    "`{ ca, require?, crl? }`: clients are asked for certificates; see [tls.md](tls.md)",
  ),
  profile: option(oneOf(["intermediate", "modern"]), "intermediate", 'Mozilla\'s; `"modern"` is TLS 1.3 alone'),
  sessionMs: option(
    milliseconds(1_000, maxSessionMs),
    43_200_000,
    "for which a session may be resumed; the tickets' key is new as often, and the last one still good",
  ),
  strictSni: option(yesOrNo(), false, "hosts without a certificate are turned away in the handshake"),
  handshakeTimeoutMs: option(milliseconds(1), 10_000, "until a handshake is over; closed"),
  maxHandshakes: option(wholeNumber(1), 1_024, "under way at the same time; one more is closed"),
  handshakeRate: option(
    offOr(handshakeRateSchema),
    false,
    "`{ perSecond, burst }` of one address, `trustedProxies` excepted; one more is closed",
  ),
} satisfies EntriesOf<HttpsOptions>);
