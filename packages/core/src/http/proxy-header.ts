import { isIpv4, isIpv6, normaliseAddress } from "./address.ts";

/** A client's connection, as the PROXY protocol tells of it. */
export interface ProxiedClient {
  /** `""`: it came by a Unix socket, and has none. */
  readonly address: string;
  readonly port: number;
  /** Where it came in. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Undefined: it is not encrypted. */
  readonly tls: ProxiedTls | undefined;
}

export interface ProxiedTls {
  /** E.g. `"TLSv1.3"`. */
  readonly version: string;
  readonly cipher: string | undefined;
  /** That was agreed on, e.g. `"h2"`. */
  readonly protocol: string | undefined;
  /** The host that the client asked for. */
  readonly serverName: string | undefined;
  /** The common name in its certificate; undefined: it has shown none that is good. */
  readonly commonName: string | undefined;
}

/** Types of what follows the addresses; those of the last three stand within the one before them. */
const types = { alpn: 0x01, authority: 0x02, ssl: 0x20, sslVersion: 0x21, sslCommonName: 0x22, sslCipher: 0x23 };
/** Flags of what is said of TLS: it is spoken; the client has shown a certificate on this connection. */
const [usesTls, showedCertificate] = [0x01, 0x02];

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Version 2, and that somebody else is spoken for, or nobody. */
const [proxied, local] = [0x21, 0x20];
/** TCP over IPv4, and over IPv6; or nothing is said of it. */
const families = { four: 0x11, six: 0x21, unsaid: 0x00 };

/**
 * What goes before a connection by the PROXY protocol, version 2 (www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 */
export function proxyHeader(client: ProxiedClient): Buffer {
  const { family, addresses } = addressesOf(client);
  const payload = Buffer.concat([addresses, ...(client.tls === undefined ? [] : tlsParts(client.tls))]);
  const fixed = Buffer.from([proxied, family, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([signature, fixed, payload]);
}

/** What goes before a connection of our own, such as that of a health check. */
export const ownProxyHeader = Buffer.concat([signature, Buffer.from([local, families.unsaid, 0, 0])]);

function addressesOf({ address, port, localAddress, localPort }: ProxiedClient) {
  const [source, destination] = [normaliseAddress(address), normaliseAddress(localAddress)];
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  ports.writeUInt16BE(localPort, 2);
  if (isIpv4(source) && (isIpv4(destination) || destination === "")) {
    return {
      family: families.four,
      addresses: Buffer.concat([bytesOf4(source), bytesOf4(destination || "0.0.0.0"), ports]),
    };
  }
  if (!isAddress(source)) return { family: families.unsaid, addresses: Buffer.alloc(0) };
  // One of each family: both are told as the one that has room for the other.
  const both = [bytesOf6(source), bytesOf6(isAddress(destination) ? destination : "::")];
  return { family: families.six, addresses: Buffer.concat([...both, ports]) };
}

function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function bytesOf4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function bytesOf6(address: string): Buffer {
  if (isIpv4(address)) return Buffer.concat([Buffer.alloc(10), Buffer.of(0xff, 0xff), bytesOf4(address)]);
  // As a URL has it there is no IPv4 in it.
  const [before = "", after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [head, tail] = [groupsOf(before), groupsOf(after ?? "")];
  const bytes = Buffer.alloc(16);
  for (const [at, group] of head.entries()) bytes.writeUInt16BE(group, 2 * at);
  for (const [at, group] of tail.entries()) bytes.writeUInt16BE(group, 16 - 2 * (tail.length - at));
  return bytes;
}

function tlsParts({ version, cipher, protocol, serverName, commonName }: ProxiedTls): readonly Buffer[] {
  const flags = usesTls | (commonName === undefined ? 0 : showedCertificate);
  // Whether what it showed was good: 0 is yes.
  const verdict = [0, 0, 0, commonName === undefined ? 1 : 0];
  const parts = [
    part(types.sslVersion, version),
    ...(commonName === undefined ? [] : [part(types.sslCommonName, commonName)]),
    ...(cipher === undefined ? [] : [part(types.sslCipher, cipher)]),
  ];
  return [
    ...(protocol === undefined ? [] : [part(types.alpn, protocol)]),
    ...(serverName === undefined ? [] : [part(types.authority, serverName)]),
    part(types.ssl, Buffer.concat([Buffer.from([flags, ...verdict]), ...parts])),
  ];
}

/** Of a name that a client has made up; hosts are shorter. */
const maxNameBytes = 255;

function part(type: number, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8").subarray(0, maxNameBytes) : value;
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
