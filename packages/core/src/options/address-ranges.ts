import ipaddr from "ipaddr.js";
import * as v from "valibot";

/** Names of ranges, as ipaddr.js has them. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ["loopback"],
  private: ["private", "uniqueLocal", "linkLocal"],
};

/** A list of addresses and ranges, which becomes the test whether an address lies in one of them. */
export const addressRanges = v.pipe(
  v.array(
    v.pipe(
      v.string("give an address or a range"),
      v.check(isRange, 'give an address, a range such as "10.0.0.0/8", "loopback" or "private"'),
    ),
  ),
  v.transform((list: string[]) => matcher(list)),
);

function isRange(text: string): boolean {
  return Object.hasOwn(named, text) || ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

/** The test where no address is given: whoever has it need not look at addresses at all. */
export const matchesNone = (): boolean => false;

/** Whether an address lies in one of the ranges. */
function matcher(list: readonly string[]): (address: string) => boolean {
  if (list.length === 0) return matchesNone;
  const names = new Set(list.flatMap((text) => (Object.hasOwn(named, text) ? named[text]! : [])));
  const ranges = list
    .filter((text) => !Object.hasOwn(named, text))
    .map((text) => (ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : wholeAddress(text)));
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return (
      names.has(address.range()) ||
      ranges.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
    );
  };
}

function wholeAddress(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
