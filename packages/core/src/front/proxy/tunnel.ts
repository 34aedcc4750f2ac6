import type { Lease } from "../../balancer/balancer.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { UpstreamSink, UpstreamStream } from "../transport/upstream.ts";
import type { Client, TunnelEntrance } from "./client.ts";

/**
 * What remains of an exchange after a 101: bytes pass unread both ways until both sides have ended, or the tunnel was
 * silent for too long. Holds the lease as long. Kept small, since a front may hold very many.
 */
export class Tunnel implements UpstreamSink, TunnelEntrance {
  readonly #client: Client;
  readonly #stream: UpstreamStream;
  readonly #lease: Lease;
  readonly #outcome: Outcome;
  readonly #idleMs: number;
  #streamPaused = false;

  constructor(
    client: Client,
    { stream, lease, outcome, idleMs }: { stream: UpstreamStream; lease: Lease; outcome: Outcome; idleMs: number },
  ) {
    this.#client = client;
    this.#stream = stream;
    this.#lease = lease;
    this.#outcome = outcome;
    this.#idleMs = idleMs;
    // The tunnel may last for days; that it opened is known now.
    lease.observe(outcome);
    client.deadline(idleMs);
  }

  send(bytes: Buffer): void {
    if (!this.#stream.write(bytes)) this.#client.pauseReading();
    this.#client.deadline(this.#idleMs);
  }

  clientEnded(): void {
    this.#stream.end();
  }

  clientDrained(): void {
    if (!this.#streamPaused) return;
    this.#streamPaused = false;
    this.#stream.resume();
  }

  clientGone(): void {
    this.#stream.destroy();
    this.#lease.release(this.#outcome);
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    const { downstream } = this.#client;
    downstream.bytes(buffer, start, end);
    const writable = downstream.flush();
    this.#client.deadline(this.#idleMs);
    if (!writable && !this.#streamPaused) {
      this.#streamPaused = true;
      this.#stream.pause();
    }
    return downstream.drained;
  }

  upstreamEnd(): void {
    this.#client.downstream.end();
  }

  upstreamFailed(): void {
    this.#client.destroy();
  }

  upstreamWritable(): void {
    this.#client.resumeReading();
  }
}
