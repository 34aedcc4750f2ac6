import { isIpv6 } from "./address.ts";

/** 1 for what may stand in a registered name or IPv4 address here. */
const hostCharacter = new Uint8Array(128);
for (const char of "-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  hostCharacter[char.charCodeAt(0)] = 1;
}

const colon = 0x3a;

/**
 * Whether `text` is `host [":" port]`. Narrower than RFC 3986: no percent-encoding and no sub-delimiters, which no host
 * in use has and which would make lists of X-Forwarded-Host ambiguous; a colon needs its port.
 */
export function isAuthority(text: string): boolean {
  let at = 0;
  if (text.charCodeAt(0) === 0x5b /* [ */) {
    const end = text.indexOf("]");
    if (end === -1 || !isIpv6(text.slice(1, end))) return false;
    at = end + 1;
  } else {
    while (isHostCharacter(text, at)) at++;
    if (at === 0) return false;
  }
  return at === text.length || (text.charCodeAt(at) === colon && isPort(text, at + 1));
}

function isHostCharacter(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 128 && hostCharacter[code] === 1;
}

function isPort(text: string, start: number): boolean {
  const digits = text.length - start;
  if (digits < 1 || digits > 5) return false;
  let port = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}
