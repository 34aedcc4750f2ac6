import { OptionError } from "../model/errors.ts";
import type { HandedSocket } from "../model/handed-socket.ts";
import type { HttpsSettings } from "./https-options.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import type { ListenEntry } from "./listen-options.ts";

/** What is to be opened. */
export type ListenPlace =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly ipv6Only: boolean }
  | { readonly kind: "unix"; readonly path: string; readonly mode: number }
  | { readonly kind: "fd"; readonly fd: number };

/** One of the public listeners. */
export interface ListenerSettings {
  readonly place: ListenPlace;
  readonly encrypted: boolean;
  /** Peers that are proxies of ours begin each connection with a header of the PROXY protocol. */
  readonly proxied: boolean;
  /** What to change where it cannot be opened, e.g. `the option "port"`. */
  readonly remedy: string;
  /** It is open already, by a primary in whose place this one is. */
  readonly handed?: HandedSocket | undefined;
}

export interface ListenersAsked {
  readonly host: string;
  readonly port: number;
  /** It was asked for, and is not what a port is by default. */
  readonly portGiven: boolean;
  readonly https: HttpsSettings | false;
  readonly httpsPortGiven: boolean;
  readonly listen: readonly ListenEntry[] | undefined;
  readonly proxyProtocol: boolean;
  readonly trustsNobody: boolean;
  readonly inherited: InheritedSockets;
  /** Somebody's requests come in at `port`, if there is no other listener. Default: they do. */
  readonly needed?: boolean;
  /** Ports of single apps, behind all others. Default: there are none. */
  readonly others?: readonly { readonly port: number; readonly option: string }[];
}

/**
 * All public listeners, the one at `port` first and that at `https.port` next, where there are such: `listen`, or the sockets of
 * systemd, stand in for those that nobody has asked for.
 *
 * @throws OptionError
 */
export function listenersOf(asked: ListenersAsked): readonly ListenerSettings[] {
  const { host, port, https, inherited, proxyProtocol, needed = true } = asked;
  const listen = asked.listen?.map((entry, at) => listenerOf(entry, at, asked)) ?? [];
  const others = listen.length > 0 ? listen : inheritedListeners(inherited, proxyProtocol);
  const tcp = { kind: "tcp", ipv6Only: false } as const;
  const own: ListenerSettings[] = [];
  if (asked.portGiven || (others.length === 0 && needed)) {
    own.push({
      place: { ...tcp, host, port },
      encrypted: false,
      proxied: proxyProtocol,
      remedy: 'the option "port" (or the environment variable PORT)',
    });
  }
  if (https !== false && (asked.httpsPortGiven || !others.some(({ encrypted }) => encrypted))) {
    own.push({
      place: { ...tcp, host: https.host ?? host, port: https.port },
      encrypted: true,
      proxied: proxyProtocol,
      remedy: 'the option "https.port"',
    });
  }
  if (proxyProtocol) refuseWithoutProxies("proxyProtocol", own, asked);
  const ofApps = (asked.others ?? []).map(
    (one): ListenerSettings => ({
      place: { ...tcp, host, port: one.port },
      encrypted: false,
      proxied: proxyProtocol,
      remedy: `the option "${one.option}"`,
    }),
  );
  return [...own, ...others, ...ofApps];
}

function listenerOf(entry: ListenEntry, at: number, asked: ListenersAsked): ListenerSettings {
  const option = `listen[${at}]`;
  const { https: encrypted, proxyProtocol: proxied = asked.proxyProtocol } = entry;
  if (encrypted && asked.https === false) {
    throw new OptionError(`${option}.https`, true, 'there are no certificates: give the option "https", too');
  }
  const place = placeOf(entry, option, asked);
  const listener = { place, encrypted, proxied, remedy: `the option "${option}"` };
  refuseWithoutProxies(
    entry.proxyProtocol === undefined ? "proxyProtocol" : `${option}.proxyProtocol`,
    [listener],
    asked,
  );
  return listener;
}

function placeOf(entry: ListenEntry, option: string, { host, inherited }: ListenersAsked): ListenPlace {
  const { port, path, fd = 0, mode, ipv6Only } = entry;
  if (port !== undefined) return { kind: "tcp", host: entry.host ?? host, port, ipv6Only };
  if (path !== undefined) return { kind: "unix", path, mode };
  if (typeof fd === "number") return { kind: "fd", fd };
  if (inherited.kind === "others") {
    throw new OptionError(
      `${option}.fd`,
      fd,
      `systemd's sockets are for the process ${inherited.pid}, not for this one: ${execRemedy}`,
    );
  }
  const found = inherited.sockets.find(({ name }) => name === fd);
  if (found !== undefined) return { kind: "fd", fd: found.fd };
  const names = inherited.sockets.map(({ name }) => JSON.stringify(name)).join(", ");
  const there = names === "" ? "systemd has handed over no sockets" : `systemd's sockets are called ${names}`;
  throw new OptionError(`${option}.fd`, fd, `${there}: see FileDescriptorName= in the .socket unit`);
}

const execRemedy = "have ExecStart= run node, or lb in node_modules/.bin, without npx, npm or a shell before it";

function inheritedListeners(inherited: InheritedSockets, proxied: boolean): readonly ListenerSettings[] {
  if (inherited.kind === "others") return [];
  return inherited.sockets.map(({ fd }) => ({
    place: { kind: "fd", fd },
    encrypted: false,
    proxied,
    remedy: "the .socket unit that has opened it",
  }));
}

/** Who is at a Unix socket is a proxy of ours in any case, and what an inherited one is is not known yet. */
function refuseWithoutProxies(
  option: string,
  listeners: readonly ListenerSettings[],
  { trustsNobody }: ListenersAsked,
): void {
  if (!trustsNobody || !listeners.some(({ place, proxied }) => proxied && place.kind === "tcp")) return;
  throw new OptionError(
    option,
    true,
    'nobody may send such headers: name the proxies with the option "trustedProxies"',
  );
}
