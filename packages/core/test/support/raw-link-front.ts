import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { LinkError } from "../../src/link/errors.ts";
import { DEFAULT_HELLO, type StreamClient } from "../../src/link/frame.ts";
import { type LinkOwner, LinkSession } from "../../src/link/link-session.ts";
import { SocketWire } from "../../src/link/socket-wire.ts";
import { StreamEnd } from "../../src/link/stream-end.ts";

/** A client's connection and its stream, byte for byte. */
class PipeEnd extends StreamEnd {
  readonly #client: Socket;

  constructor(session: LinkSession, client: Socket) {
    super(session);
    this.#client = client;
    client.on("data", (bytes) => {
      if (this.send(bytes) === "queued") client.pause();
    });
    client.on("drain", () => this.settle(0));
    client.on("end", () => this.sendFin(0));
    client.on("error", () => {});
    client.on("close", () => this.close(0));
  }

  override onOpen(): void {}

  override onBytes(buffer: Buffer, start: number, end: number): boolean {
    this.#client.write(buffer.subarray(start, end));
    this.settle(this.#client.writableLength);
    return this.#client.writableLength === 0;
  }

  override onResponseEnd(): void {}

  override onFin(): void {
    this.#client.end();
  }

  override onPeerClose(): void {
    if (this.finReceived) this.#client.destroySoon();
    else this.#client.destroy();
  }

  override onLost(): void {
    this.#client.destroy();
  }

  override onDrained(): void {
    this.#client.resume();
  }

  override onWritten(): void {}
}

class PipeOwner implements LinkOwner {
  readonly ready: Promise<void>;
  #ready: () => void = () => {};

  constructor() {
    this.ready = new Promise((resolve) => {
      this.#ready = resolve;
    });
  }

  accept(): StreamEnd {
    throw new Error("The worker opened a stream.");
  }

  onReady(): void {
    this.#ready();
  }

  onGoaway(): void {}

  onLastStream(): void {}

  onDown(error: LinkError): void {
    if (error.code !== "LB_LINK_LOST") throw error;
  }
}

/** A front that decides nothing: each connection to its port is one stream on a link to the intake at `path`. */
export async function openRawLinkFront(path: string): Promise<{ readonly port: number; close(): void }> {
  const link = connect(path);
  const owner = new PipeOwner();
  const wire = new SocketWire(link);
  const session = new LinkSession({ side: "front", wire, owner, hello: DEFAULT_HELLO });
  wire.connect(session);
  link.on("data", (bytes) => session.feed(bytes));
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    const streamClient: StreamClient = { address: client.remoteAddress!, port: client.remotePort!, encrypted: false };
    session.attach(new PipeEnd(session, client), streamClient);
  });
  server.listen(0, "127.0.0.1");
  await Promise.all([owner.ready, once(server, "listening")]);
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The front has no port.");
  return {
    port: address.port,
    close() {
      server.close();
      for (const client of clients) client.destroy();
      link.destroy();
    },
  };
}
