/**
 * An IP address in the one form that tables and logs compare: lower case, and an IPv4-mapped IPv6 address, which is what
 * a dual-stack listener reports for an IPv4 client, as IPv4.
 */
export function normaliseAddress(address: string): string {
  const lower = address.toLowerCase();
  if (!lower.startsWith("::ffff:")) return lower;
  const mapped = lower.slice(7);
  if (isIpv4(mapped)) return mapped;
  const [, high, low] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(mapped) ?? [];
  if (high === undefined || low === undefined) return lower;
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((pair) => [pair >> 8, pair & 255]).join(".");
}

/** The address in one entry of X-Forwarded-For, which may carry a port; undefined if it is not an IP address. */
export function addressOfEntry(entry: string): string | undefined {
  if (entry.length > 64) return undefined;
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const address = normaliseAddress(bracketed ?? entry);
  if (isIpv4(address)) return address;
  const withoutPort = address.replace(/:\d{1,5}$/, "");
  if (isIpv4(withoutPort)) return withoutPort;
  return isIpv6(address) ? address : undefined;
}

/** Without leading zeros, which some take for octal. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 §2.2: eight groups, the last two perhaps as IPv4, and once `::` for one or more that are zero. No zone. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [side, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    for (const [index, part] of parts.entries()) {
      const last = side === halves.length - 1 && index === parts.length - 1;
      if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups += 1;
      else if (last && isIpv4(part)) groups += 2;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}
