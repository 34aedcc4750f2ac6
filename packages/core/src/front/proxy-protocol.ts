import { isIpv4, isIpv6 } from "../http/address.ts";

/** Whom a proxy in front of us has accepted. */
export interface ProxiedPeer {
  readonly address: string;
  readonly port: number;
}

/**
 * What the beginning of a connection says by the PROXY protocol, versions 1 and 2
 * (www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 */
export type ProxyHeader =
  /** It may become one. */
  | { readonly kind: "partial" }
  | { readonly kind: "invalid" }
  /** So many bytes long. Without `peer` the proxy speaks for itself, or cannot say: the connection's own peer is meant. */
  | { readonly kind: "header"; readonly length: number; readonly peer: ProxiedPeer | undefined };

const partial = Object.freeze({ kind: "partial" });
const invalid = Object.freeze({ kind: "invalid" });

/** Of version 1, line end included. */
const maxLineBytes = 107;
/** Of what follows the fixed part of version 2: addresses and TLVs. Those who write any need some hundreds. */
const maxPayloadBytes = 4_096;

const lineStart = Buffer.from("PROXY ");
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsWith(bytes, signature)) return bytes.length < 16 ? partial : readBinary(bytes);
  if (beginsWith(bytes, lineStart)) return readLine(bytes);
  return invalid;
}

/** As far as it goes. */
function beginsWith(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

const lineFamilies: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["TCP4", isIpv4],
  ["TCP6", isIpv6],
]);

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, maxLineBytes).indexOf("\r\n");
  if (end === -1) return bytes.length < maxLineBytes ? partial : invalid;
  const words = bytes.toString("latin1", 0, end).split(" ");
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort] = words;
  // What follows UNKNOWN is to be ignored.
  if (family === "UNKNOWN") return { kind: "header", length, peer: undefined };
  const isAddress = lineFamilies.get(family ?? "");
  if (isAddress === undefined || words.length !== 6) return invalid;
  const [port, otherPort] = [portOf(sourcePort!), portOf(destinationPort!)];
  if (!isAddress(source!) || !isAddress(destination!) || port === undefined || otherPort === undefined) return invalid;
  return { kind: "header", length, peer: { address: source!, port } };
}

function portOf(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** By the family, as version 2 numbers it: how long the addresses of both sides are. 0 says nothing of them. */
const addressBytes: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };

function readBinary(bytes: Buffer): ProxyHeader {
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 0x0f];
  const [family, protocol] = [bytes[13]! >> 4, bytes[13]! & 0x0f];
  const payload = bytes.readUInt16BE(14);
  const addresses = addressBytes[family];
  if (version !== 2 || command > 1 || protocol > 2 || addresses === undefined || payload > maxPayloadBytes)
    return invalid;
  const length = 16 + payload;
  if (bytes.length < length) return partial;
  // LOCAL: whatever follows is to be ignored.
  if (command === 0) return { kind: "header", length, peer: undefined };
  if (payload < addresses || !areWhole(bytes.subarray(16 + addresses, length))) return invalid;
  return { kind: "header", length, peer: peerOf(bytes, family) };
}

/** Whether the TLVs end where the header does. */
function areWhole(tlvs: Buffer): boolean {
  let at = 0;
  while (at + 3 <= tlvs.length) at += 3 + tlvs.readUInt16BE(at + 1);
  return at === tlvs.length;
}

function peerOf(bytes: Buffer, family: number): ProxiedPeer | undefined {
  if (family === 1) return { address: bytes.subarray(16, 20).join("."), port: bytes.readUInt16BE(24) };
  if (family !== 2) return undefined;
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(16 + 2 * group).toString(16));
  // As addresses are written: in lower case, with the longest run of zeros left out.
  return { address: new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1), port: bytes.readUInt16BE(48) };
}
