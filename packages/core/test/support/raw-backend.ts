import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Http1Reach } from "../../src/model/http1-reach.ts";
import { served, servedTls } from "./reached-server.ts";

/** One connection to a backend whose behaviour is scripted byte by byte. */
export interface BackendConnection {
  readonly socket: Socket;
  /** Resolves with the next complete request head, and leaves what follows it in `rest()`. */
  head(): Promise<string>;
  /** Bytes received and not taken by `head`. */
  rest(): Buffer;
  send(bytes: string | Buffer): void;
  /** The front has sent FIN or reset the connection. */
  readonly closed: Promise<void>;
}

export interface RawBackend {
  readonly port: number;
  /** The way to it. */
  readonly reach: Http1Reach;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Request heads received so far, over all connections. */
  readonly heads: readonly string[];
  close(): Promise<void>;
}

/**
 * A backend that does to each connection, which may be encrypted, what `script` says; what it throws fails the connection, not the
 * test run.
 */
export async function rawBackend(
  script: (connection: BackendConnection) => void | Promise<void>,
  { secure = false }: { readonly secure?: boolean } = {},
): Promise<RawBackend> {
  const sockets = new Set<Socket>();
  const heads: string[] = [];
  let connections = 0;
  const accept = (socket: Socket) => {
    connections++;
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    let wake = () => {};
    let ended = false;
    const end = () => {
      ended = true;
      wake();
    };
    const closed = new Promise<void>((resolve) => {
      socket.once("end", resolve);
      socket.once("close", () => {
        sockets.delete(socket);
        end();
        resolve();
      });
    });
    socket.on("end", end);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      wake();
    });
    const connection: BackendConnection = {
      socket,
      closed,
      rest: () => received,
      send: (bytes) => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
      async head() {
        for (;;) {
          const at = received.indexOf("\r\n\r\n");
          if (at !== -1) {
            const head = received.subarray(0, at + 4).toString("latin1");
            received = received.subarray(at + 4);
            heads.push(head);
            return head;
          }
          if (ended) throw new Error("the front closed the connection");
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
    Promise.resolve(script(connection)).catch(() => socket.destroy());
  };
  const server = secure
    ? createTlsServer({ ...served, allowHalfOpen: true }, accept)
    : createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    reach: { address: { kind: "tcp", host: "127.0.0.1", port }, ...(secure && { tls: servedTls }) },
    get connections() {
      return connections;
    },
    heads,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers every request on a connection with the same bytes. */
export function answering(bytes: string): (connection: BackendConnection) => Promise<void> {
  return async (connection) => {
    for (;;) {
      await connection.head();
      connection.send(bytes);
    }
  };
}

export const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
