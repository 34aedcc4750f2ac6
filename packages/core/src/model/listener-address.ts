/** Where a public listener accepts. */
export type ListenerAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A Unix socket. */
  | { readonly kind: "unix"; readonly path: string }
  /** A Unix socket that was inherited, and whose path only those know who opened it. */
  | { readonly kind: "fd"; readonly fd: number };

/** As it is written after `--listen`, and shown in errors. */
export function addressText(address: ListenerAddress): string {
  switch (address.kind) {
    case "tcp":
      return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
    case "unix":
      return `unix:${address.path}`;
    case "fd":
      return `fd:${address.fd}`;
  }
}
