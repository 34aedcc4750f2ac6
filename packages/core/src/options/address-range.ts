import ipaddr from "ipaddr.js";
import * as v from "valibot";
import type { AddressRange } from "../model/address-range.ts";

const mappedBits = 96;

/** `"10.1.2.3"`, `"10.0.0.0/8"`, `"2001:db8::/32"`; what is IPv4 in IPv6 is IPv4. Undefined: it is none. */
export function readRange(text: string): AddressRange | undefined {
  const [, host, bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (host === undefined || !(ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host))) return undefined;
  const [written, meant] = [ipaddr.parse(host), ipaddr.process(host)];
  const most = written.kind() === "ipv4" ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  const prefixLength = written.kind() === meant.kind() ? length : length - mappedBits;
  if (length > most || prefixLength < 0) return undefined;
  const family = meant.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return { address: family.networkAddressFromCIDR(`${meant}/${prefixLength}`).toString(), prefixLength };
}

const remedy = 'give an address or a range: "203.0.113.9", "203.0.113.0/24", "2001:db8::/32"';

/** One that is not everybody. */
export const addressRange = v.pipe(
  v.string(remedy),
  v.transform(readRange),
  v.custom<AddressRange>((range) => range !== undefined, remedy),
  v.check(({ prefixLength }) => prefixLength > 0, "that is everybody: give a longer prefix"),
) as v.GenericSchema<string, AddressRange>;
