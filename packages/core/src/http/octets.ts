/** Octets by name, and the character classes of RFC 9110 §5.6 and RFC 9112 as tables: one load per octet, no branch. */

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** For an octet that may stand in a token (`tchar`): its lower case. 0 for all others. */
export const tokenFold = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  tokenFold[char.charCodeAt(0)] = char.charCodeAt(0);
  tokenFold[char.toUpperCase().charCodeAt(0)] = char.charCodeAt(0);
}

/** 1 for what may stand in a field value or reason phrase: HTAB, SP, VCHAR, obs-text. */
export const valueOctet = new Uint8Array(256);
for (let octet = 0; octet < 256; octet++) {
  valueOctet[octet] = octet === HT || (octet >= SP && octet !== 0x7f) ? 1 : 0;
}

/**
 * 1 for what may stand in a request target: VCHAR without `#`. Wider than RFC 3986, which forbids `"<>\^`{|}`: browsers
 * send those, and they are relayed byte for byte.
 */
export const targetOctet = new Uint8Array(256);
for (let octet = 0x21; octet < 0x7f; octet++) targetOctet[octet] = 1;
targetOctet["#".charCodeAt(0)] = 0;

/** Whether `text` is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f || tokenFold[text.charCodeAt(at)] === 0) return false;
  }
  return text.length > 0;
}

/** The elements of a comma-separated list (RFC 9110 §5.6.1), trimmed; empty ones are left out, as recipients must. */
export function listElements(value: string): string[] {
  const elements: string[] = [];
  for (const part of value.split(",")) {
    const element = trimWhitespace(part, 0, part.length);
    if (element !== "") elements.push(element);
  }
  return elements;
}

/** `text[start, end)` without leading and trailing SP and HTAB (`OWS`); `String.trim` would take more. */
export function trimWhitespace(text: string, start: number, end: number): string {
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

function isWhitespace(code: number): boolean {
  return code === SP || code === HT;
}

interface Latin1Source {
  latin1Slice(start: number, end: number): string;
}

/**
 * `buffer[start, end)` as latin1, one character per octet. Node's own method behind `toString("latin1", …)`, without
 * its argument checks, which cost as much as a short slice; undici relies on it too.
 */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as Latin1Source).latin1Slice(start, end);
}
