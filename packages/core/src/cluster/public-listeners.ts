import { ListenError } from "../model/listen-error.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ListenerSettings, ListenPlace } from "../options/listener-settings.ts";
import type { Traffic } from "./traffic.ts";

/** A public listener that accepts. */
export interface OpenListener extends Pick<ListenerSettings, "encrypted" | "proxied"> {
  readonly address: ListenerAddress;
}

/**
 * Opens all of them.
 *
 * @throws ListenError for the first that cannot be opened
 */
export async function openListeners(traffic: Traffic, { front }: ClusterSettings): Promise<readonly OpenListener[]> {
  const { listeners } = front;
  let addresses: readonly ListenerAddress[];
  try {
    addresses = await traffic.listen();
  } catch (cause) {
    const { listener = 0 } = cause as { readonly listener?: number };
    const { place, remedy } = listeners[listener]!;
    throw new ListenError({ address: addressOf(place), remedy }, cause);
  }
  return listeners.map(({ encrypted, proxied }, at) => ({ address: addresses[at]!, encrypted, proxied }));
}

/** The one that is shown where there is room for one: a port, and without TLS, if there is such. */
export function mainListener(listeners: readonly OpenListener[]): OpenListener {
  const ports = listeners.filter(({ address }) => address.kind === "tcp");
  return ports.find(({ encrypted }) => !encrypted) ?? ports[0] ?? listeners[0]!;
}

/** What instances are told as the public port: of an app that has a port of its own that one, of all others the main one. */
export function publicPorts(
  listeners: readonly OpenListener[],
  { port, routes }: Pick<ClusterSettings, "port" | "routes">,
): (backend: string | undefined) => number {
  const { address } = mainListener(listeners);
  const main = address.kind === "tcp" ? address.port : port;
  return (backend) => {
    const own = routes.find(
      ({ listener, to }) => listener !== undefined && to.kind === "pools" && to.parts[0]!.pool === backend,
    );
    const at = own === undefined ? undefined : listeners[own.listener!]!.address;
    return at?.kind === "tcp" ? at.port : main;
  };
}

function addressOf(place: ListenPlace): ListenerAddress {
  switch (place.kind) {
    case "tcp":
      return { kind: "tcp", host: place.host, port: place.port };
    case "unix":
      return { kind: "unix", path: place.path };
    case "fd":
      return place;
  }
}
