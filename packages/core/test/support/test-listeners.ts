import type { ListenerAddress } from "../../src/model/listener-address.ts";
import type { ListenerSettings } from "../../src/options/listener-settings.ts";

/** Any port of the address, and another with TLS. */
export function testListeners({
  host = "127.0.0.1",
  https = false,
  proxied = false,
} = {}): readonly ListenerSettings[] {
  const place = { kind: "tcp", host, port: 0, ipv6Only: false } as const;
  const plain = { place, encrypted: false, proxied, remedy: "" };
  return https ? [plain, { ...plain, encrypted: true }] : [plain];
}

export async function portsOf(listening: Promise<readonly ListenerAddress[]>): Promise<readonly [number, ...number[]]> {
  const ports = (await listening).map((address) => (address.kind === "tcp" ? address.port : 0));
  return ports as [number, ...number[]];
}
