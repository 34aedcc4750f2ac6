import { addressText, type ListenerAddress } from "../model/listener-address.ts";

/**
 * A URL under which the listener can be reached from this machine; a wildcard address is not one, so loopback stands for it.
 * For what is no port of TCP there are no URLs that everybody understands: it is shown as it is written after `--listen`.
 */
export function publicUrl(address: ListenerAddress, encrypted: boolean): string {
  if (address.kind !== "tcp") return addressText(address);
  const { host, port } = address;
  const reachable = host === "0.0.0.0" || host === "" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${encrypted ? "https" : "http"}://${addressText({ kind: "tcp", host: reachable, port })}`;
}
