/**
 * Whether a Host field (already checked to be a host, with a port or without) names one of the hosts: exactly, but for
 * case and port. Never by prefix or suffix, so neither `app.example.evil` nor `evil-app.example` passes for `app.example`.
 */
export function namesHost(field: string, hosts: ReadonlySet<string>): boolean {
  // The colon of a port stands behind the bracket of an IPv6 address.
  const colon = field.indexOf(":", field.lastIndexOf("]") + 1);
  return hosts.has((colon === -1 ? field : field.slice(0, colon)).toLowerCase());
}
