import { type AddressInfo, isIPv4, isIPv6, type Server } from "node:net";

/** What a server is told of where it listens: what it asked for, as in `node:cluster`. */
export function shownAddress(port: number, host: string | undefined): AddressInfo {
  // Without a host Node listens on all addresses of both families.
  if (host === undefined) return { address: "::", family: "IPv6", port };
  if (isIPv6(host)) return { address: host, family: "IPv6", port };
  return { address: isIPv4(host) ? host : "127.0.0.1", family: "IPv4", port };
}

/** Has `server.address()` answer so as long as it listens. */
export function showAddress(server: Server, address: AddressInfo): void {
  server.address = () => (server.listening ? { ...address } : null);
}
