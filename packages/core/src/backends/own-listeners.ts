import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { normaliseAddress } from "../http/address.ts";
import type { Address } from "../model/endpoint.ts";
import type { ListenerAddress } from "../model/listener-address.ts";

const everywhere = new Set(["0.0.0.0", "::", ""]);

/**
 * Whether what is sent there comes in at one of these listeners. By the addresses that this machine has now: of one that
 * leads here by way of another machine nothing can be seen.
 */
export function isOwnListener(address: Address, listeners: readonly ListenerAddress[]): boolean {
  if (address.kind === "unix") return listeners.some((one) => one.kind === "unix" && one.path === address.path);
  return listeners.some((one) => {
    if (one.kind !== "tcp" || one.port !== address.port) return false;
    const [asked, listening] = [hostOf(address.host), hostOf(one.host)];
    if (asked === listening) return true;
    if (everywhere.has(asked)) return everywhere.has(listening) || isLoopback(listening);
    return everywhere.has(listening) && isOfThisMachine(asked);
  });
}

function hostOf(host: string): string {
  const address = normaliseAddress(host);
  if (address === "localhost" || address.endsWith(".localhost")) return "127.0.0.1";
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

function isOfThisMachine(host: string): boolean {
  if (isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => normaliseAddress(one.address) === host));
}
