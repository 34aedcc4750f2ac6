import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export interface Told {
  readonly by: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

interface ProgramOptions {
  readonly delayMs?: number;
  readonly certificate?: { readonly cert: Buffer; readonly key: Buffer };
  readonly path?: string;
}

/** A program that is none of ours: says what it got. */
export async function program(by: string, { delayMs = 0, certificate, path }: ProgramOptions = {}): Promise<Server> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request;
    request.resume().on("end", () => {
      const places = url?.endsWith("/places") === true ? placesOf(server) : {};
      const told = JSON.stringify({ by, method, url, headers });
      setTimeout(() => response.writeHead(200, { "X-By": by, Server: "theirs", ...places }).end(told), delayMs);
    });
  };
  const server: Server = certificate === undefined ? createServer(answer) : createSecureServer(certificate, answer);
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`${by}: ${data}`)));
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  return server;
}

/** As an app says it that knows of no proxy. */
export const placesOf = (server: Server) => ({
  Location: `${urlOf(server)}/base/login`,
  "Content-Location": "/base/item/7",
  "Set-Cookie": ["a=1; Path=/base/admin", "b=2; Path=/; Domain=127.0.0.1"],
});

export const portOf = (server: Server) => (server.address() as AddressInfo).port;
export const urlOf = (server: Server) => `http://127.0.0.1:${portOf(server)}`;
