import type { Socket } from "node:net";
import type { DeadlineWheel, Expiring } from "./deadline-wheel.ts";
import { type ProxiedPeer, readProxyHeader } from "./proxy-protocol.ts";

export interface ProxiedPeersOptions {
  readonly wheel: DeadlineWheel;
  /** From the connection to the end of its header; then it is closed. */
  readonly timeoutMs: number;
}

/** Reads the PROXY protocol's header off connections of proxies that are trusted, which have to begin with one. */
export class ProxiedPeers {
  readonly #options: ProxiedPeersOptions;

  constructor(options: ProxiedPeersOptions) {
    this.#options = options;
  }

  /**
   * Calls `known` with whom the proxy has accepted; the socket is as if it began behind the header, and paused. Or closes
   * it.
   */
  read(socket: Socket, known: (peer: ProxiedPeer | undefined) => void): void {
    const { wheel, timeoutMs } = this.#options;
    const deadline: Expiring = { deadlineTick: 0, heldTick: 0, expired: () => socket.destroy() };
    let bytes: Buffer = Buffer.alloc(0);
    const received = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header.kind === "partial") return;
      leave();
      if (header.kind === "invalid") {
        socket.destroy();
        return;
      }
      socket.pause();
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
      known(header.peer);
    };
    const gone = () => socket.destroy();
    const leave = () => {
      wheel.clear(deadline);
      socket.off("data", received);
      socket.off("end", gone);
      socket.off("close", leave);
    };
    wheel.set(deadline, timeoutMs);
    // The close that follows says all there is to do.
    socket.on("error", () => {});
    socket.on("data", received);
    socket.once("end", gone);
    socket.once("close", leave);
  }
}
