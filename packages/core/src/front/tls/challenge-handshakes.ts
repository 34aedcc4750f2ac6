import type { Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import type { Clock } from "../../model/clock.ts";
import { readClientHello } from "../../tls/client-hello.ts";
import type { ChallengeBook } from "./challenge-book.ts";

export interface ChallengeHandshakesOptions {
  readonly book: ChallengeBook;
  readonly clock: Clock;
  /** From the connection to the end of what it says first; and to the end of a handshake that is a question. */
  readonly timeoutMs: number;
  /** Connections that have not said it yet; one more is closed. */
  readonly most: number;
}

const protocol = "acme-tls/1";

/**
 * Answers a certificate authority that asks for proof of a name by a handshake (TLS-ALPN-01, RFC 8737). Which certificate a
 * handshake gets is decided before Node tells the protocols that the client offers; so what a client says first is read here,
 * as long as an authority is expected and no longer, and those that ask get a handshake of their own, with nothing behind it.
 * All others go on as if nobody had looked.
 */
export class ChallengeHandshakes {
  readonly #options: ChallengeHandshakesOptions;
  readonly #server: Server;
  #reading = 0;

  constructor(options: ChallengeHandshakesOptions) {
    const { book, timeoutMs } = options;
    this.#options = options;
    // It never listens.
    this.#server = createServer({
      ALPNProtocols: [protocol],
      handshakeTimeout: timeoutMs,
      SNICallback: (name, found) => {
        const context = book.contextFor(name);
        if (context === undefined) found(new Error("Nobody asks for proof of this name"));
        else found(null, context);
      },
    });
    this.#server.on("secureConnection", (socket) => {
      socket.on("error", () => {});
      socket.end();
    });
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Some connections may be an authority's. */
  get expected(): boolean {
    return this.#options.book.expectsHandshakes;
  }

  /** Calls `others` when it is known that it is none of an authority's. */
  begin(socket: Socket, others: () => void): void {
    const { clock, timeoutMs, most } = this.#options;
    if (this.#reading === most) {
      socket.destroy();
      return;
    }
    this.#reading += 1;
    let bytes: Buffer = Buffer.alloc(0);
    const received = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const read = readClientHello(bytes);
      if (read.kind === "partial") return;
      leave();
      socket.pause();
      socket.unshift(bytes);
      if (read.kind === "hello" && read.hello.protocols.includes(protocol)) this.#prove(socket);
      else others();
    };
    const gone = () => socket.destroy();
    const deadline = clock.after(timeoutMs, gone);
    const leave = () => {
      this.#reading -= 1;
      deadline.cancel();
      socket.off("data", received);
      socket.off("end", gone);
      socket.off("close", leave);
    };
    // The close that follows says all there is to do.
    socket.on("error", () => {});
    socket.on("data", received);
    socket.once("end", gone);
    socket.once("close", leave);
  }

  #prove(socket: Socket): void {
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }
}
