/** 1 for what may stand in a registered name or IPv4 address here; 2 in an IPv6 address between brackets. */
const hostCharacter = new Uint8Array(128);
for (const char of "-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  hostCharacter[char.charCodeAt(0)]! |= 1;
}
for (const char of ":.0123456789abcdefABCDEF") hostCharacter[char.charCodeAt(0)]! |= 2;

const colon = 0x3a;

/**
 * Whether `text` is `host [":" port]`. Narrower than RFC 3986: no percent-encoding and no sub-delimiters, which no host
 * in use has and which would make lists of X-Forwarded-Host ambiguous; a colon needs its port.
 */
export function isAuthority(text: string): boolean {
  let at = 0;
  if (text.charCodeAt(0) === 0x5b /* [ */) {
    at = 1;
    while (hasClass(text, at, 2)) at++;
    if (at < 4 || text.charCodeAt(at) !== 0x5d /* ] */) return false;
    at++;
  } else {
    while (hasClass(text, at, 1)) at++;
    if (at === 0) return false;
  }
  return at === text.length || (text.charCodeAt(at) === colon && isPort(text, at + 1));
}

function hasClass(text: string, at: number, bit: number): boolean {
  const code = text.charCodeAt(at);
  return code < 128 && (hostCharacter[code]! & bit) !== 0;
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
