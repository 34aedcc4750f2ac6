import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ForwardingFacts } from "../http/forwarding.ts";
import type { ProxiedClient, ProxiedTls } from "../http/proxy-header.ts";

/** What may be told of a client's connection by the PROXY protocol. */
export function clientOrigin(socket: Socket, facts: ForwardingFacts): ProxiedClient {
  return {
    address: facts.peerAddress,
    port: facts.peerPort ?? socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: facts.localPort,
    tls: socket instanceof TLSSocket ? tlsOf(socket, facts) : undefined,
  };
}

function tlsOf(socket: TLSSocket, { serverName, clientFields = [] }: ForwardingFacts): ProxiedTls {
  // What was said of its certificate was said because it is good.
  const certificate = clientFields.length > 0 ? socket.getPeerCertificate() : undefined;
  const commonName = certificate?.subject?.CN;
  return {
    version: socket.getProtocol() ?? "TLS",
    cipher: (socket.getCipher() as { readonly name: string } | undefined)?.name,
    protocol: socket.alpnProtocol || undefined,
    serverName,
    commonName: Array.isArray(commonName) ? commonName[0] : commonName,
  };
}
