import { tokenFold } from "./octets.ts";

/** Fields that a proxy acts upon; every other field is `otherField` and passes. */
export const otherField = 0;
export const hostField = 1;
export const contentLengthField = 2;
export const transferEncodingField = 3;
export const connectionField = 4;
export const teField = 5;
export const trailerField = 6;
export const expectField = 7;
export const upgradeField = 8;
export const forwardedForField = 9;
export const forwardedProtoField = 10;
export const forwardedHostField = 11;
export const forwardedPortField = 12;
export const realIpField = 13;
/** X-Forwarded-Server, -Prefix and so on: believed and kept from a trusted peer, dropped from any other. */
export const forwardedOtherField = 14;
/** Ends here in both directions (RFC 9110 §7.6.1 and the older Proxy-* fields). */
export const hopByHopField = 15;
/** Hop-by-hop too; its `close` counts, as it does for Node's parser. */
export const proxyConnectionField = 17;
/** Never goes upstream: Forwarded (we speak X-Forwarded-*), Proxy (httpoxy), underscore aliases of forwarding fields. */
export const unforwardedField = 16;

/** What is said of the client's certificate (RFC 9440, and names of ours): believed from a trusted peer, where we ask for none. */
export const clientCertField = 20;

/** When the message was made. */
export const dateField = 19;

/** The requester's cookies: they pass, but for one that is ours. */
export const cookieField = 18;

/** The proxies that a message has come through (RFC 9110 §7.6.3). */
export const viaField = 21;

interface KnownField {
  readonly name: Uint8Array;
  readonly kind: number;
}

/** Known names by their length. */
const knownByLength: KnownField[][] = [];
/**
 * For a first letter, a bit for each length of the known names that begin with it; the sign bit for X, which begins
 * names of any length. Tells of nearly every field of a browser's request that it is none of ours.
 */
const lengthsByInitial = new Int32Array(256);
const anyLength = 1 << 31;

for (const [name, kind] of [
  ["host", hostField],
  ["content-length", contentLengthField],
  ["transfer-encoding", transferEncodingField],
  ["connection", connectionField],
  ["te", teField],
  ["via", viaField],
  ["trailer", trailerField],
  ["expect", expectField],
  ["upgrade", upgradeField],
  ["cookie", cookieField],
  ["date", dateField],
  ["x-forwarded-for", forwardedForField],
  ["x-forwarded-proto", forwardedProtoField],
  ["x-forwarded-host", forwardedHostField],
  ["x-forwarded-port", forwardedPortField],
  ["x-real-ip", realIpField],
  ["keep-alive", hopByHopField],
  ["proxy-connection", proxyConnectionField],
  ["proxy-authenticate", hopByHopField],
  ["proxy-authorization", hopByHopField],
  ["proxy-authentication-info", hopByHopField],
  ["http2-settings", hopByHopField],
  ["forwarded", unforwardedField],
  ["proxy", unforwardedField],
  ["client-cert", clientCertField],
  ["client-cert-chain", clientCertField],
  ["client_cert", unforwardedField],
  ["client_cert_chain", unforwardedField],
  ["client_cert-chain", unforwardedField],
  ["client-cert_chain", unforwardedField],
] as const) {
  while (knownByLength.length <= name.length) knownByLength.push([]);
  knownByLength[name.length]!.push({ name: Buffer.from(name, "latin1"), kind });
  lengthsByInitial[name.charCodeAt(0)]! |= 1 << name.length;
}
lengthsByInitial["x".charCodeAt(0)]! |= anyLength;

const underscore = 0x5f;
const hyphen = 0x2d;
const forwardedPrefix = Buffer.from("x-forwarded", "latin1");
const realIp = Buffer.from("x-real-ip", "latin1");
const clientCertPrefix = Buffer.from("x-client-cert", "latin1");
/** The first letter in which they differ. */
const telling = 2;

/** The kind of the field whose name is `bytes[start, end)`, all of it token octets. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const lengths = lengthsByInitial[tokenFold[bytes[start]!]!]!;
  if (lengths === 0) return otherField;
  if (length < knownByLength.length && (lengths & (1 << length)) !== 0) {
    const candidates = knownByLength[length]!;
    for (let index = 0; index < candidates.length; index++) {
      const { name, kind } = candidates[index]!;
      let at = 0;
      while (at < length && tokenFold[bytes[start + at]!] === name[at]) at++;
      if (at === length) return kind;
    }
  }
  return lengths < 0 && length >= realIp.length ? forwardingAlias(bytes, start, end) : otherField;
}

/**
 * X-Forwarded, X-Forwarded-anything, X-Client-Cert-anything, and names that become a forwarding field once `_` and `-` are the same, as they are for CGI,
 * WSGI and PHP.
 */
function forwardingAlias(bytes: Uint8Array, start: number, end: number): number {
  const ofClientCert = tokenFold[bytes[start + telling]!] === clientCertPrefix[telling];
  const prefix = end - start === realIp.length ? realIp : ofClientCert ? clientCertPrefix : forwardedPrefix;
  if (end - start < prefix.length) return otherField;
  let underscored = false;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    underscored ||= octet === underscore;
    const folded = octet === underscore ? hyphen : tokenFold[octet];
    if (
      at - start < prefix.length ? folded !== prefix[at - start] : at - start === prefix.length && folded !== hyphen
    ) {
      return otherField;
    }
  }
  if (underscored) return unforwardedField;
  return ofClientCert ? clientCertField : forwardedOtherField;
}
