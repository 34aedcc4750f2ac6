import type { Lease } from "../../balancer/balancer.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { TunnelTrace } from "../request-trace.ts";
import type { UpstreamSink, UpstreamStream } from "../transport/upstream.ts";
import type { Client, TunnelEntrance } from "./client.ts";

/**
 * How long a client may be silent when the app has ended its side and it has been told so. Gateways of HTTP/2 forget to end
 * theirs (nghttpx does), and the app, its lease and a drain would wait for what nobody is going to say.
 */
const silentEndMs = 5_000;

interface TunnelOptions {
  readonly clientAddress: string;
  readonly stream: UpstreamStream;
  readonly lease: Lease;
  readonly outcome: Outcome;
  readonly idleMs: number;
  readonly isWebSocket: boolean;
  /** Undefined: nobody wants to know what becomes of it. */
  readonly trace: TunnelTrace | undefined;
}

/**
 * What remains of an exchange after a 101: bytes pass unread both ways until both sides have ended, or the tunnel was
 * silent for too long. Holds the lease as long. Kept small, since a front may hold very many.
 */
export class Tunnel implements UpstreamSink, TunnelEntrance {
  readonly clientAddress: string;
  readonly #client: Client;
  readonly #stream: UpstreamStream;
  readonly #lease: Lease;
  readonly #outcome: Outcome;
  readonly #idleMs: number;
  readonly #isWebSocket: boolean;
  readonly #trace: TunnelTrace | undefined;
  #streamPaused = false;
  #appEnded = false;

  constructor(client: Client, { clientAddress, stream, lease, outcome, idleMs, isWebSocket, trace }: TunnelOptions) {
    this.clientAddress = kept(clientAddress, client.facts.peerAddress);
    this.#client = client;
    this.#stream = stream;
    this.#lease = lease;
    this.#outcome = outcome;
    this.#idleMs = idleMs;
    this.#isWebSocket = isWebSocket;
    this.#trace = trace;
    // The tunnel may last for days; that it opened is known now.
    lease.observe(outcome);
    this.#moved();
  }

  send(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#trace !== undefined) this.#trace.bytesIn += bytes.length;
    if (!this.#stream.write(bytes)) this.#client.pauseReading();
    this.#moved();
  }

  clientEnded(): void {
    if (!this.#isOver) this.#stream.end();
  }

  clientDrained(): void {
    if (!this.#streamPaused) return;
    this.#streamPaused = false;
    this.#moved();
    this.#stream.resume();
  }

  clientGone(): void {
    this.#stream.destroy();
    this.#lease.release(this.#outcome);
    this.#trace?.ended();
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    const { downstream } = this.#client;
    if (this.#trace !== undefined) this.#trace.bytesOut += end - start;
    downstream.bytes(buffer, start, end);
    const writable = downstream.flush();
    this.#moved();
    if (!writable && !this.#streamPaused) {
      this.#streamPaused = true;
      this.#stream.pause();
    }
    return downstream.drained;
  }

  upstreamEnd(): void {
    this.#client.downstream.end();
    this.#appEnded = true;
    if (this.#isOver) this.#stream.end();
    this.#moved();
  }

  upstreamFailed(): void {
    this.#client.destroy();
  }

  upstreamWritable(): void {
    this.#client.resumeReading();
  }

  /**
   * A WebSocket's client has nothing more to say when its server has ended (RFC 6455 §7.1.1), and the app hears so at once: for it
   * the session is over, and may go on elsewhere.
   */
  get #isOver(): boolean {
    return this.#isWebSocket && this.#appEnded;
  }

  #moved(): void {
    const isTold = this.#appEnded && !this.#streamPaused;
    this.#client.deadline(isTold ? Math.min(this.#idleMs, silentEndMs) : this.#idleMs);
  }
}

/** What a proxy says was cut out of a head, all of which would be kept with it. */
function kept(clientAddress: string, peerAddress: string): string {
  return clientAddress === peerAddress ? peerAddress : Buffer.from(clientAddress, "latin1").toString("latin1");
}
