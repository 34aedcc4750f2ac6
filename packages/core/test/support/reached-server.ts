import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { readProxyHeader } from "../../src/front/proxy-protocol.ts";
import type { Http1Reach } from "../../src/model/http1-reach.ts";
import { reset } from "../../src/tls/reset.ts";
import { backendAuthority, loopback } from "./backend-certificates.ts";

/** Ways to a server that speaks HTTP/1.1. */
export type Way = (typeof ways)[number];

/** Where certificates are asked for both ways there is all that there is in TLS. */
export const ways = ["tcp", "unix", "https with a client certificate", "PROXY v2 and https"] as const;

const authority = backendAuthority();
const strangers = backendAuthority("strangers");
/** Of a server at 127.0.0.1, and what a client has to know to believe it. */
export const served = authority.issue([loopback]);
export const servedTls = { servername: "127.0.0.1", ca: [authority.ca], verify: true };
const ours = strangers.issue([]);

export interface ReachedServer {
  readonly reach: Http1Reach;
  /** Breaks what is open, and takes nothing any more. */
  stop(): Promise<void>;
}

/** Has a server that does not listen answer what comes in one of the ways. */
export async function reachBy(way: Way, server: Server): Promise<ReachedServer> {
  const sockets = new Set<Socket>();
  const raws = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    server.emit("connection", socket);
  };
  const secure = way.includes("https");
  const proxied = way.startsWith("PROXY");
  const asks = way === "https with a client certificate";
  const handshakes = createTlsServer(
    { ...served, allowHalfOpen: true, ...(asks && { requestCert: true, ca: strangers.ca }) },
    take,
  );
  const accept = (socket: Socket) => {
    // A handshake reads by itself.
    if (secure) handshakes.emit("connection", socket);
    else take(socket.resume());
  };
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    raws.add(socket);
    socket.once("close", () => raws.delete(socket));
    if (proxied) readHeader(socket, accept);
    else accept(socket);
  });
  const directory = way === "unix" ? mkdtempSync(join(tmpdir(), "lb-reached-")) : undefined;
  if (directory === undefined) listener.listen(0, "127.0.0.1");
  else listener.listen(join(directory, "app.sock"));
  await once(listener, "listening");
  const address =
    directory === undefined
      ? ({ kind: "tcp", host: "127.0.0.1", port: (listener.address() as AddressInfo).port } as const)
      : ({ kind: "unix", path: join(directory, "app.sock") } as const);
  const tls = { ...servedTls, ...(asks && ours) };
  return {
    reach: { address, ...(secure && { tls }), ...(proxied && { proxyProtocol: 2 }) },
    async stop() {
      for (const socket of sockets) reset(socket);
      for (const socket of raws) socket.destroy();
      if (listener.listening) await new Promise((resolve) => listener.close(resolve));
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Takes the PROXY protocol's header off a connection, whose client has to be the one that tests say they are. */
function readHeader(socket: Socket, accept: (socket: Socket) => void): void {
  let bytes = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", function read(chunk: Buffer) {
    bytes = Buffer.concat([bytes, chunk]);
    const header = readProxyHeader(bytes);
    if (header.kind === "partial") return;
    socket.off("data", read);
    if (header.kind === "invalid" || header.peer === undefined) {
      socket.destroy();
      return;
    }
    socket.pause();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    accept(socket);
  });
}
