import type { AddressRange } from "../model/address-range.ts";
import type { IpSettings } from "../options/affinity-options.ts";

/** The 16-bit groups of the address being read. */
const groups = new Uint16Array(8);

/**
 * What the addresses of one network have in common: the first bits of `address`. Spellings of one address have one key;
 * a text that is no IP address is its own. Takes no regular expression and makes no array: it runs for each request.
 */
export function addressKey(address: string, { ipv4PrefixLength, ipv6PrefixLength }: Omit<IpSettings, "kind">): string {
  if (address.includes(":")) return readIpv6(address) ? ipv6Prefix(ipv6PrefixLength) : address;
  if (ipv4PrefixLength === 32) return address;
  const bits = readIpv4(address, 0, address.length);
  return bits === -1 ? address : String(bits - (bits % 2 ** (32 - ipv4PrefixLength)));
}

/** Whether the address is one of these. */
export function isWithin(address: string, { address: first, prefixLength }: AddressRange): boolean {
  if (address.includes(":") !== first.includes(":")) return false;
  const lengths = { ipv4PrefixLength: prefixLength, ipv6PrefixLength: prefixLength };
  return addressKey(address, lengths) === addressKey(first, lengths);
}

/** The four octets of `text[start, end)` as a number; -1 if it is no IPv4 address. */
function readIpv4(text: string, start: number, end: number): number {
  let bits = 0;
  let octets = 0;
  let octet = -1;
  for (let at = start; at <= end; at++) {
    const code = at < end ? text.charCodeAt(at) : dot;
    if (code === dot) {
      if (octet === -1 || octets === 4) return -1;
      bits = bits * 256 + octet;
      octets++;
      octet = -1;
      continue;
    }
    const digit = code - zero;
    if (digit < 0 || digit > 9) return -1;
    octet = octet === -1 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return octets === 4 ? bits : -1;
}

/** Reads the textual forms of RFC 4291 §2.2, with a zone (RFC 4007) that is left out, into `groups`. */
function readIpv6(text: string): boolean {
  const zone = text.indexOf("%");
  const end = zone === -1 ? text.length : zone;
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < end) {
    const start = at;
    let group = 0;
    let digit = hexDigit(text.charCodeAt(at));
    while (digit !== -1 && at < end) {
      group = (group << 4) | digit;
      digit = hexDigit(text.charCodeAt(++at));
    }
    if (at < end && text.charCodeAt(at) === dot) {
      const bits = readIpv4(text, start, end);
      if (bits === -1 || count > 6) return false;
      groups[count++] = Math.trunc(bits / 65_536);
      groups[count++] = bits % 65_536;
      break;
    }
    if (at === start || at - start > 4 || count === 8) return false;
    groups[count++] = group;
    if (at === end) break;
    if (text.charCodeAt(at++) !== colon || at === end) return false;
    if (text.charCodeAt(at) === colon) {
      if (gap !== -1) return false;
      gap = count;
      at++;
    }
  }
  if (gap === -1) return count === 8;
  if (count === 8) return false;
  // What follows the gap moves to the end, and the gap becomes zeros.
  let to = 8;
  while (count > gap) groups[--to] = groups[--count]!;
  while (to > gap) groups[--to] = 0;
  return true;
}

function ipv6Prefix(length: number): string {
  let prefix = "";
  for (let index = 0, left = length; left > 0; index++, left -= 16) {
    const group = left >= 16 ? groups[index]! : groups[index]! & (0xffff << (16 - left));
    prefix += `${group.toString(16)}:`;
  }
  return prefix;
}

const dot = 0x2e;
const colon = 0x3a;
const zero = 0x30;

function hexDigit(code: number): number {
  if (code >= zero && code <= 0x39) return code - zero;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
