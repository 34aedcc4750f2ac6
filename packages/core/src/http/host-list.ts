/** The host of a Host field (already checked to be one, with a port or without), in lower case and without the port. */
export function hostIn(field: string): string {
  // The colon of a port stands behind the bracket of an IPv6 address.
  const colon = field.indexOf(":", field.lastIndexOf("]") + 1);
  return (colon === -1 ? field : field.slice(0, colon)).toLowerCase();
}

/**
 * Whether a Host field names one of the hosts: exactly, but for case and port. Never by prefix or suffix, so neither
 * `app.example.evil` nor `evil-app.example` passes for `app.example`.
 */
export function namesHost(field: string, hosts: ReadonlySet<string>): boolean {
  return hosts.has(hostIn(field));
}
