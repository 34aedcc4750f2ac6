import type { Socket } from "node:net";

/** Has a socket say that its peer is the client, who came by somebody of ours. `""`: it has no address. */
export function showClient(
  socket: Socket,
  { address, port }: { readonly address: string; readonly port: number },
): void {
  const known = address !== "";
  Object.defineProperties(socket, {
    remoteAddress: { value: known ? address : undefined },
    remotePort: { value: known ? port : undefined },
    remoteFamily: { value: known ? (address.includes(":") ? "IPv6" : "IPv4") : undefined },
  });
}
