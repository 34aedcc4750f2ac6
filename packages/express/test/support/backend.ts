import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { freePorts } from "../../../core/test/support/free-ports.ts";

/** What a backend saw of a request, and says in its answer unless it has a listener of its own. */
export interface Seen {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Backend {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly Seen[];
  /** Connections open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Stops at once, as a killed process does. */
  kill(): Promise<void>;
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/**
 * A real server that tells in JSON what it was asked, or does what `listener` does. Its WebSockets send back what they
 * get, with the backend's name before it.
 */
export async function startBackend(
  name: string,
  listener?: RequestListener,
  at: number | string = 0,
): Promise<Backend> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    if (listener === undefined) await tell(request, response);
    else {
      seen.push(note(request, ""));
      listener(request, response);
    }
  });
  function note({ method = "", url = "", headers }: IncomingMessage, body: string): Seen {
    const flat = Object.fromEntries(Object.entries(headers).map(([field, value]) => [field, String(value)]));
    return { backend: name, method, url, headers: flat, body };
  }
  async function tell(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const noted = note(request, body.length > 10_000 ? String(body.length) : body.toString());
    seen.push(noted);
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(noted));
  }
  const echo = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    echo.handleUpgrade(request, socket, head, (webSocket) => {
      seen.push(note(request, ""));
      webSocket.on("message", (text) => webSocket.send(`${name}:${text}`));
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) =>
    typeof at === "string" ? server.listen(at, ready) : server.listen(at, "127.0.0.1", ready),
  );
  const kill = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(kill);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen, sockets, kill };
}

/** A URL where nobody listens. */
export async function deadUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePorts(1)}`;
}
