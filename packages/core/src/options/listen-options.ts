import { resolve } from "node:path";
import * as v from "valibot";
import { maxSocketPathBytes } from "../model/socket-path.ts";
import { type EntriesOf, option } from "./option.ts";
import { hostName, maxPort } from "./tcp-address.ts";
import { options, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Where clients come in: at `port`, `path` or `fd`. */
export interface ListenOptions {
  /** A port of TCP; 0 lets the system choose. */
  readonly port?: number | undefined;
  /** With `port`: the address. `"::"` takes IPv4, too. Default: the option `host`. */
  readonly host?: string | undefined;
  /** With `port`: `"::"` is IPv6 alone. Default false. */
  readonly ipv6Only?: boolean | undefined;
  /** A Unix socket. One that a killed process has left there is replaced; it is removed at the end. */
  readonly path?: string | undefined;
  /**
   * With `path`: who may connect, as octal text or a number, `"0666"` or `0o666`. Default `"0660"`: this user, and those of its group.
   * Whoever may is trusted as a proxy: what it says of its clients is believed.
   */
  readonly mode?: string | number | undefined;
  /**
   * A listening socket that this process has inherited: its number, from 3 on, or systemd's name for it
   * (`FileDescriptorName=`).
   */
  readonly fd?: number | string | undefined;
  /** With TLS: the certificates and the rest are those of the option `https`. Default false. */
  readonly https?: boolean | undefined;
  /** Connections of proxies begin with a header of the PROXY protocol. Default: the option `proxyProtocol`. */
  readonly proxyProtocol?: boolean | undefined;
}

/** {@link ListenOptions}, checked: one of `port`, `path` and `fd` is there. */
export interface ListenEntry extends Omit<ListenOptions, "mode"> {
  readonly ipv6Only: boolean;
  readonly mode: number;
  readonly https: boolean;
}

const modeRemedy = 'give permissions in octal, e.g. "0660" or 0o660';

const socketMode = v.pipe(
  v.union(
    [
      v.pipe(v.string(), v.regex(/^0?[0-7]{3}$/, modeRemedy)),
      v.pipe(v.number(), v.integer(modeRemedy), v.minValue(0, modeRemedy), v.maxValue(0o777, modeRemedy)),
    ],
    modeRemedy,
  ),
  v.transform((given) => (typeof given === "string" ? Number.parseInt(given, 8) : given)),
);

export const socketPath = v.pipe(
  v.string("give the path of a Unix socket"),
  v.nonEmpty("give the path of a Unix socket"),
  v.excludes("\0", "give the path of a Unix socket, without NUL"),
  v.transform((path) => resolve(path)),
  v.check(
    (path) => Buffer.byteLength(path) <= maxSocketPathBytes,
    `give a shorter path: the system takes ${maxSocketPathBytes} bytes, counted from the root`,
  ),
);

const inheritedRemedy = "give the number of a descriptor, from 3 on, or the name that systemd has for it";

const inherited = v.union(
  [
    v.pipe(v.number(), v.integer(inheritedRemedy), v.minValue(3, inheritedRemedy), v.maxValue(65_535, inheritedRemedy)),
    v.pipe(v.string(), v.regex(/^[\x21-\x39\x3b-\x7e]{1,255}$/, inheritedRemedy)),
  ],
  inheritedRemedy,
);

const entry = options({
  port: option(wholeNumber(0, maxPort), undefined, "a port of TCP; 0 lets the system choose", { otherwise: "none" }),
  host: option(hostName, undefined, 'with `port`: the address; `"::"` takes IPv4, too', { otherwise: "`host`" }),
  ipv6Only: option(yesOrNo(), false, 'with `port`: `"::"` is IPv6 alone'),
  path: option(socketPath, undefined, "a Unix socket; one that a killed process left there is replaced", {
    otherwise: "none",
  }),
  mode: option(socketMode, "0660", "with `path`: who may connect, and is then trusted as a proxy; octal"),
  fd: option(inherited, undefined, "an inherited socket: its number, or systemd's name for it", { otherwise: "none" }),
  https: option(yesOrNo(), false, "with TLS, as the option `https` says"),
  proxyProtocol: option(yesOrNo(), undefined, "connections of proxies begin with a PROXY protocol header", {
    otherwise: "`proxyProtocol`",
  }),
} satisfies EntriesOf<ListenOptions>);

const places = ["port", "path", "fd"] as const;

const placed = v.pipe(
  entry,
  v.check((given) => places.filter((one) => given[one] !== undefined).length === 1, "give one of port, path and fd"),
);

/** More are a mistake, e.g. a list that grows. */
const maxListeners = 64;

export const listenSchema = withEntries(
  v.pipe(
    v.array(placed, 'give a list, e.g. [{ port: 80, host: "::" }, { path: "/run/app.sock" }]'),
    v.minLength(1, "give one listener at least, or leave it out"),
    v.maxLength(maxListeners, `give ${maxListeners} at most`),
  ),
  entry,
);
