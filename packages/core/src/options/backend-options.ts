import * as v from "valibot";
import type { Http1Pool } from "../model/http1-reach.ts";
import type { StrategyName } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { type AffinityOptions, affinitySchema } from "./affinity-options.ts";
import { type BackendEndpoints, type EndpointsSettings, endpointsSettings } from "./backend-endpoint-options.ts";
import {
  type BackendProgramOptions,
  type BackendProgramSettings,
  backendProgram,
  backendProgramEntries,
  type ProgramSurroundings,
} from "./backend-program-options.ts";
import { type HealthOptions, healthSchema } from "./health-options.ts";
import { type InFlightOption, type InFlightSettings, inFlightSchema } from "./in-flight-options.ts";
import type { Judged } from "./judged.ts";
import { type EntriesOf, option } from "./option.ts";
import { queueSchema, type WaitQueueSettings } from "./queue-options.ts";
import { type RetryBudgetSettings, retryBudgetSchema } from "./retry-budget-options.ts";
import { milliseconds, offOr, options, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** How endpoints are spoken to whose URL begins with `https:`. */
export interface BackendTlsOptions {
  /** Who may have signed their certificates: files, or PEM. Default: whom Node.js trusts. */
  readonly ca?: string | readonly string[] | undefined;
  /** Our own certificate, for those that ask for one: a file, or PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Whom their certificates have to be for, and who is asked for. Default: the host of the URL. */
  readonly servername?: string | undefined;
  /** The SHA-256 of public keys, in base64, of which each certificate has to have one. Default: any. */
  readonly pins?: readonly string[] | undefined;
  /** `false`: whoever answers is believed. Default true. */
  readonly verify?: boolean | undefined;
}

/** How often names are looked up, and whom they are asked of. */
export interface BackendLookupOptions {
  /** At least so long an answer is used, whatever its time to live. Default 1,000. */
  readonly minTtlMs?: number | undefined;
  /** At most. Default 3,600,000, an hour. */
  readonly maxTtlMs?: number | undefined;
  /** How often a function of endpoints is called. Default 10,000. */
  readonly everyMs?: number | undefined;
  /** `"10.0.0.2"`, `"10.0.0.2:5353"`: these, and nobody else. Default: the system's, after /etc/hosts. */
  readonly servers?: readonly string[] | undefined;
}

/** Who is reached besides the app: programs of their own, here or on other machines, by HTTP/1.1. */
export interface BackendOptions extends BackendProgramOptions {
  /**
   * Where they are: `"http://10.0.0.1:3000"`, `"https://api.internal"`, `"unix:/run/app.sock"`, `"srv+http://_api._tcp.example.com"`, or the same with a weight;
   * or a function that tells them. Names are looked up as often as their answers say.
   */
  readonly endpoints?: BackendEndpoints;
  /** How one of them is chosen for each request. Default `"least-connections"`. */
  readonly strategy?: StrategyName | Strategy;
  /** Which requests belong together at one of them. Default: none do. */
  readonly affinity?: AffinityOptions;
  /** When one is taken out of service, and when it comes back. */
  readonly health?: HealthOptions;
  /** Where requests wait that none of them can take at the moment. */
  readonly queue?: Partial<WaitQueueSettings>;
  /** So many requests at a time, over all its endpoints; others wait in `queue`. Default: as `limits` says; `false`: any number. */
  readonly maxRequestsInFlight?: false | InFlightOption;
  /** How many retries all requests together may cost. */
  readonly retryBudget?: Partial<RetryBudgetSettings>;
  /** In place of the client's `Host`, for those that answer to one name alone. Default: the client's. */
  readonly host?: string;
  /** Certificates, where a URL begins with `https:`. Default: they have to be good, for the URL's host. */
  readonly tls?: BackendTlsOptions;
  /** How connections are kept. */
  readonly pool?: Partial<Http1Pool>;
  /** Each connection begins with a header of the PROXY protocol, version 2, that names its client. Default false. */
  readonly proxyProtocol?: boolean;
  /** How names are looked up. */
  readonly lookup?: BackendLookupOptions;
}

/** By name. */
export type BackendsOptions = Readonly<Record<string, BackendOptions>>;

const pemRemedy = "give the path of a PEM file, or what is in it";
const pem = v.pipe(v.string(pemRemedy), v.nonEmpty(pemRemedy));
const hostRemedy = 'give a host, with its port if it has one: "api.example.com"';
const pinRemedy = 'give SHA-256 digests in base64, as of "openssl dgst -sha256 -binary | base64"';

const tls = options({
  ca: option(
    v.pipe(
      v.union([pem, v.pipe(v.array(pem), v.minLength(1, pemRemedy))], pemRemedy),
      v.transform((given): readonly string[] => [given].flat()),
    ),
    undefined,
    "who may have signed: files, or PEM",
    { otherwise: "whom Node.js trusts" },
  ),
  cert: option(pem, undefined, "our own certificate, for those that ask for one: a file, or PEM"),
  key: option(pem, undefined, "its key"),
  passphrase: option(v.string("give text"), undefined, "of the key"),
  servername: option(
    v.pipe(v.string(hostRemedy), v.regex(/^[\w.:-]{1,253}$/, hostRemedy)),
    undefined,
    "whom the certificate has to be for",
    { otherwise: "the URL's host" },
  ),
  pins: option(
    v.pipe(v.array(v.pipe(v.string(pinRemedy), v.regex(/^[A-Za-z0-9+/]{43}=$/, pinRemedy))), v.minLength(1, pinRemedy)),
    undefined,
    "digests of public keys, of which it has to have one",
    { otherwise: "any" },
  ),
  verify: option(yesOrNo(), true, "`false`: whoever answers is believed"),
} satisfies EntriesOf<BackendTlsOptions>);

const pool = options({
  maxConnections: option(
    v.union([v.literal(Number.POSITIVE_INFINITY), wholeNumber(1)], "give a whole number of at least 1, or Infinity"),
    Number.POSITIVE_INFINITY,
    "connections to each endpoint, WebSockets included; more requests wait in `queue`",
  ),
  maxIdle: option(wholeNumber(0, 65_536), 64, "connections kept to each endpoint that nobody uses"),
  idleTimeoutMs: option(milliseconds(1), 4_000, "for so long; less than the endpoint's own keep-alive time-out"),
  maxRequestsPerConnection: option(
    v.union([v.literal(Number.POSITIVE_INFINITY), wholeNumber(1)], "give a whole number of at least 1, or Infinity"),
    Number.POSITIVE_INFINITY,
    "requests after which a connection is closed",
  ),
  connectTimeoutMs: option(
    milliseconds(1),
    5_000,
    "until a connection stands, handshake included; then elsewhere, or 502",
  ),
} satisfies EntriesOf<Http1Pool>);

const serverRemedy = 'give addresses of name servers: "10.0.0.2", "10.0.0.2:5353"';

const lookup = options({
  minTtlMs: option(milliseconds(1), 1_000, "at least so long an answer is used"),
  maxTtlMs: option(milliseconds(1), 3_600_000, "at most"),
  everyMs: option(milliseconds(1), 10_000, "how often a function of endpoints is called"),
  servers: option(
    v.pipe(
      v.array(v.pipe(v.string(serverRemedy), v.regex(/^[\da-fA-F.:[\]]{2,64}$/, serverRemedy))),
      v.minLength(1, serverRemedy),
    ),
    undefined,
    "who is asked",
    { otherwise: "as the system does" },
  ),
} satisfies EntriesOf<BackendLookupOptions>);

export const backendEntries = {
  endpoints: option(
    // Judged where they are made into endpoints.
    v.custom<BackendEndpoints>((given) => given !== undefined, 'give a list, e.g. ["http://10.0.0.1:3000"]'),
    undefined,
    "where they are: URLs, `{ url, weight, zone }`, or a function; see [backends.md](backends.md)",
    { otherwise: "required without `exec` and `entry`" },
  ),
  ...backendProgramEntries,
  strategy: option(
    // Judged where it is made into a strategy.
    v.custom<StrategyName | Strategy>(() => true),
    "least-connections",
    "how one of them is chosen for each request",
  ),
  affinity: option(affinitySchema, undefined, "which requests belong together at one of them", { otherwise: "none" }),
  health: option(healthSchema, {}, "when one is taken out, and when it comes back; as for the app", {
    otherwise: "passive on",
  }),
  queue: option(queueSchema, {}, "where requests wait that none of them can take; as for the app", {
    otherwise: "as for the app",
  }),
  maxRequestsInFlight: option(
    offOr(inFlightSchema) as unknown as v.GenericSchema<InFlightOption | false, InFlightSettings | false>,
    undefined,
    'so many requests at a time, or `"adaptive"`; others wait in `queue`, then 503; `false`: any number',
    { otherwise: "the cluster's" },
  ),
  retryBudget: option(retryBudgetSchema, {}, "how many retries all requests together may cost; as for the app", {
    otherwise: "as for the app",
  }),
  host: option(
    v.pipe(v.string(hostRemedy), v.regex(/^[\w.-]{1,253}(:\d{1,5})?$/, hostRemedy)),
    undefined,
    "in place of the client's `Host`",
    { otherwise: "the client's" },
  ),
  tls: option(tls, {}, "certificates, where a URL begins with `https:`", { otherwise: "verified" }),
  pool: option(pool, {}, "how connections are kept", { otherwise: "see below" }),
  proxyProtocol: option(
    yesOrNo(),
    false,
    "connections begin with a PROXY protocol header, v2, and serve one client each",
  ),
  lookup: option(lookup, {}, "how names are looked up", { otherwise: "see below" }),
} satisfies EntriesOf<BackendOptions>;

const backend = options(backendEntries);

/** As it is written, checked by itself. */
export type ParsedBackend = v.InferOutput<typeof backend>;

/** One of them, and where it stands among the options. */
export interface NamedBackend {
  readonly name: string;
  readonly within: string;
  readonly given: ParsedBackend;
}

/** {@link BackendOptions}, checked and completed; the strategy is judged where it is used. */
export type BackendSettings = Omit<ParsedBackend, "endpoints" | keyof BackendProgramOptions> & {
  /** Undefined: those of its program. */
  readonly endpoints: EndpointsSettings | undefined;
  readonly program: BackendProgramSettings | undefined;
};

/** @throws OptionError for endpoints that are none */
export function backendSettings(
  named: readonly NamedBackend[],
  { judged, ...surroundings }: ProgramSurroundings & { readonly judged: Judged },
): Readonly<Record<string, BackendSettings>> {
  const settings = named.map((one): [string, BackendSettings] => {
    // One that cannot be used is there all the same for those who name it.
    return [one.name, judged(() => settingsOf(one, surroundings)) ?? ({} as BackendSettings)];
  });
  return Object.fromEntries(settings);
}

function settingsOf({ within, given }: NamedBackend, surroundings: ProgramSurroundings): BackendSettings {
  const { endpoints } = given;
  const hasEndpoints = endpoints !== undefined;
  const program = backendProgram(given, { within, hasEndpoints, ...surroundings });
  const listed = hasEndpoints ? endpointsSettings(endpoints, `${within}.endpoints`) : undefined;
  const rest = Object.fromEntries(Object.entries(given).filter(([option]) => !(option in backendProgramEntries)));
  return { ...rest, endpoints: listed, program } as BackendSettings;
}

const nameRemedy =
  'give backends names of letters, digits, "-" and "_" that begin with a letter; "app" is the app, "all" all there is';

export const backendName = v.pipe(v.string(nameRemedy), v.regex(/^(?!(?:app|all)$)[A-Za-z][\w-]{0,63}$/, nameRemedy));

export const backendsSchema = withEntries(
  v.pipe(
    v.record(backendName, backend, "give backends by their names: { api: { endpoints: […] } }"),
    v.check((given) => Object.keys(given).length <= 256, "give 256 backends at most"),
  ),
  backend,
);
