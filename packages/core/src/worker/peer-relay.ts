import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errorResponse } from "../http/error-response.ts";
import { type PeerPreface, writePreface } from "./peer-preface.ts";

/** Fields that are about one connection, not about the message. */
const ofConnection = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"]);

/** Connects to the private socket of another worker; rejects if it is not there. */
export function connectPeer(path: string, preface: PeerPreface): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.write(writePreface(preface));
      resolve(socket);
    });
  });
}

/**
 * Has another worker answer a request that came here, over a connection to it. `fields` are added to the response.
 * Bodies are streamed both ways, and whichever side leaves takes the other along.
 */
export function relayRequest(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  peer: Socket,
  fields: readonly string[],
): void {
  const { method, url, rawHeaders } = request;
  const chunked = request.headers["transfer-encoding"] !== undefined;
  const headers = [...withoutConnectionFields(rawHeaders), "Connection", "close"];
  if (chunked) headers.push("Transfer-Encoding", "chunked");
  const upstream = httpRequest({ createConnection: () => peer, method, path: url, headers });
  upstream.on("response", (answer) => {
    const own = withoutConnectionFields(answer.rawHeaders);
    response.writeHead(answer.statusCode!, answer.statusMessage ?? "", [...own, ...fields]);
    answer.pipe(response);
    // A body that does not come whole must not look as if it had.
    answer.on("error", () => response.destroy());
  });
  upstream.on("information", ({ statusCode }) => {
    if (statusCode === 100) response.writeContinue();
  });
  upstream.on("error", () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { "Content-Length": 0 }).end();
  });
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

/** The same for an upgrade, whose bytes pass unread from the request head on. */
export function relayUpgrade(
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  peer: Socket,
): void {
  const lines = pairs(request.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  peer.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  if (head.length > 0) peer.write(head);
  peer.pipe(socket);
  socket.pipe(peer);
  for (const [one, other] of [
    [peer, socket],
    [socket, peer],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

/** Answers an upgrade for ourselves. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on("error", () => {});
  socket.end(errorResponse(status));
}

function withoutConnectionFields(raw: readonly string[]): string[] {
  return pairs(raw)
    .filter(([name]) => !ofConnection.has(name.toLowerCase()))
    .flat();
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length >> 1 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);
}
