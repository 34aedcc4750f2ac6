import * as v from "valibot";
import { type CertificateSettings, certificateSchema } from "./https-options.ts";
import { socketPath } from "./listen-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { hostName, hosts, maxPort } from "./tcp-address.ts";
import { offOr, options, secretText, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Who may see a cluster by its admin listener: by name and password, or by a token. */
export interface AdminAuthOptions {
  /** With a password: the name that goes with it. */
  readonly user?: string | undefined;
  /** At least 8 characters. */
  readonly password?: string | undefined;
  /** In its place `"sha256:"` and its digest in hexadecimal. */
  readonly passwordHash?: string | undefined;
  /** In place of both: what stands behind `Bearer`, at least 16 characters; browsers may give it as a password, with any name. */
  readonly token?: string | undefined;
}

/** Where a cluster can be seen; see {@link ClusterOptions.admin}. */
export interface AdminOptions {
  /** Default 9464, or the next of ten that is free. One that is given is opened, or the start fails. */
  readonly port?: number | undefined;
  /** Default `"127.0.0.1"`. Beyond loopback only with `auth`. */
  readonly host?: string | undefined;
  /** A Unix socket in place of a port, for this user and its group. */
  readonly path?: string | undefined;
  /** Who is let in. Default: whoever opens the link that `lb dashboard` prints; by a Unix socket, whoever can connect. */
  readonly auth?: AdminAuthOptions | undefined;
  /** A certificate and its key, files or PEM: then it speaks TLS alone. Files are read anew within seconds of their change. */
  readonly tls?: CertificateSettings | undefined;
  /** Names, besides addresses and `localhost`, by which it is asked: requests with another Host get 421. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whoever is let in may also have the cluster reloaded, scaled and so on. Default false. */
  readonly actions?: boolean | undefined;
  /** `/metrics` has those of the app's own, too: what its instances count with `prom-client`. Default true. */
  readonly appMetrics?: boolean | undefined;
}

export type AdminOption = boolean | number | AdminOptions;

/** How somebody shows that he may. A digest is that of SHA-256. */
export type AdminCredentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

export interface AdminSettings {
  readonly place: /** `ports`: the first of them that is free. */
    | { readonly kind: "tcp"; readonly host: string; readonly ports: readonly number[] }
    | { readonly kind: "unix"; readonly path: string };
  /** Without a place that was asked for there may be none, and all else goes on. */
  readonly mayFail: boolean;
  readonly credentials: AdminCredentials | undefined;
  readonly tls: CertificateSettings | undefined;
  readonly allowedHosts: ReadonlySet<string>;
  readonly actions: boolean;
  readonly appMetrics: boolean;
}

const firstPort = 9_464;
const portsTried = 10;

const authRemedy = "give { user, password }, { user, passwordHash } or { token }";

const auth = options(
  {
    user: option(
      v.pipe(v.string("give a name"), v.regex(/^[^:\p{Cc}]{1,128}$/u, "give a name without a colon")),
      undefined,
      "with a password: the name that goes with it",
      { otherwise: "none" },
    ),
    password: option(
      v.pipe(v.string(authRemedy), v.minLength(8, "give 8 characters at least"), v.maxLength(256, "give 256 at most")),
      undefined,
      "8 characters at least",
      { otherwise: "none" },
    ),
    passwordHash: option(
      v.pipe(v.string(authRemedy), v.regex(/^sha256:[0-9a-f]{64}$/i, 'give "sha256:" and 64 hexadecimal digits')),
      undefined,
      "in its place `sha256:` and its digest in hexadecimal",
      { otherwise: "none" },
    ),
    token: option(secretText, undefined, "in place of both: what stands behind `Bearer`, 16 characters at least", {
      otherwise: "none",
    }),
  } satisfies EntriesOf<AdminAuthOptions>,
  authRemedy,
);

const authSchema = withEntries(
  v.pipe(
    auth,
    v.check(
      ({ user, password, passwordHash, token }) =>
        token === undefined
          ? user !== undefined && (password === undefined) !== (passwordHash === undefined)
          : user === undefined && password === undefined && passwordHash === undefined,
      authRemedy,
    ),
    v.transform(
      ({ user = "", password, passwordHash, token }): AdminCredentials =>
        token === undefined
          ? { kind: "password", user, password: passwordHash ?? password! }
          : { kind: "token", token },
    ),
  ),
  auth,
);

const group = options({
  port: option(wholeNumber(0, maxPort), undefined, "one that is given is opened, or the start fails", {
    otherwise: "9464, or the next of ten that is free",
  }),
  host: option(hostName, "127.0.0.1", "beyond loopback only with `auth`"),
  path: option(socketPath, undefined, "a Unix socket in place of a port, for this user and its group", {
    otherwise: "none",
  }),
  auth: option(authSchema, undefined, "who is let in: `{ user, password }`, `{ user, passwordHash }` or `{ token }`", {
    otherwise: "whoever opens the link of `lb dashboard`; by a Unix socket, whoever can connect",
  }),
  tls: option(certificateSchema, undefined, "`{ cert, key, passphrase? }`, files or PEM: it speaks TLS alone", {
    otherwise: "none",
  }),
  allowedHosts: option(
    hosts,
    [] as readonly string[],
    "names besides addresses and `localhost` by which it is asked; others get 421",
  ),
  actions: option(yesOrNo(), false, "who is let in may also reload, scale, drain and so on", {
    flag: {
      name: "--admin-actions",
      group: "Output",
      help: "whoever is let in there may also reload, scale, drain and so on",
    },
  }),
  appMetrics: option(yesOrNo(), true, "`/metrics` has what the app's instances count with `prom-client`, too"),
} satisfies EntriesOf<AdminOptions>);

const placed = v.pipe(
  group,
  v.check(({ port, path }) => port === undefined || path === undefined, "give a port or a path: it is one listener"),
  v.check(({ path, tls }) => path === undefined || tls === undefined, "a Unix socket takes no TLS: leave out tls"),
  v.check(
    ({ host, path, auth }) => path !== undefined || auth !== undefined || isLoopback(host),
    "beyond loopback everybody could look: give auth too, e.g. { token }",
  ),
  v.transform(({ port, host, path, auth, tls, allowedHosts, actions, appMetrics }): AdminSettings => {
    const ports = port === undefined ? Array.from({ length: portsTried }, (_, at) => firstPort + at) : [port];
    return {
      place: path === undefined ? { kind: "tcp", host, ports } : { kind: "unix", path },
      mayFail: port === undefined && path === undefined && tls === undefined,
      credentials: auth,
      tls,
      allowedHosts,
      actions,
      appMetrics,
    };
  }),
);

const anyAdmin = v.lazy((input): v.GenericSchema<AdminOption, AdminSettings | false> => {
  if (input !== true && typeof input !== "number") return offOr(placed) as never;
  const written = input === true ? {} : { port: input };
  return v.pipe(
    v.any(),
    v.transform(() => written),
    placed,
  ) as never;
});

export const adminSchema = withEntries(anyAdmin, group);

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
