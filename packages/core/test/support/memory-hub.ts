import { BatchedOutput, type OutputSocket } from "../../src/hub/batched-output.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubSession } from "../../src/hub/session.ts";
import { WorkerEnd } from "../../src/hub/worker-end.ts";
import type { Clock } from "../../src/model/clock.ts";

/** Bytes on their way from one side to the other. */
class Wire implements OutputSocket {
  writable = true;
  writableLength = 0;
  #bytes = Buffer.alloc(0);

  cork(): void {}
  uncork(): void {}

  write(bytes: Buffer): boolean {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return true;
  }

  get waiting(): number {
    return this.#bytes.length;
  }

  /** The first `count` bytes, as one read. */
  read(count: number): Buffer {
    const read = Buffer.from(this.#bytes.subarray(0, count));
    this.#bytes = this.#bytes.subarray(count);
    return read;
  }
}

/** The primary's part. */
export function memoryHub(clock: Clock): Hub {
  return new Hub(clock);
}

/** A worker's part and the primary's, joined in memory; bytes pass when the test says so. */
export class MemoryHubLink {
  readonly end: WorkerEnd;
  /** What the primary said of this worker. */
  readonly overflows: number[] = [];
  readonly #hub: Hub;
  #toPrimary = new Wire();
  #toWorker = new Wire();
  #session: HubSession | undefined;

  constructor(hub: Hub, endpointId: string, clock: Clock) {
    this.#hub = hub;
    this.end = new WorkerEnd({ endpointId, clock, connect: () => this.#connect() });
  }

  get idle(): boolean {
    return this.#toPrimary.waiting === 0 && this.#toWorker.waiting === 0;
  }

  /** What the primary has written and the worker not read. */
  set unread(bytes: number) {
    this.#toWorker.writableLength = bytes;
  }

  /** Lets at most so many bytes pass each way. */
  pass(bytes: number): void {
    if (this.#toPrimary.waiting > 0) this.#session?.receive(this.#toPrimary.read(bytes));
    if (this.#toWorker.waiting > 0) this.end.receive(this.#toWorker.read(bytes));
  }

  /** As if the connection broke: what is on its way is lost, and a new one is made at once. */
  cut(): void {
    if (this.#session === undefined) return;
    this.#session.lost();
    this.end.broke(undefined);
    this.#connect();
  }

  /** As if the worker's process had ended: what the primary had not read is lost, and nobody reads any more. */
  die(): void {
    this.#session?.lost();
    this.#session = undefined;
    this.#toPrimary = new Wire();
    this.#toWorker = new Wire();
  }

  #connect(): void {
    this.#toPrimary = new Wire();
    this.#toWorker = new Wire();
    const output = new BatchedOutput();
    output.attach(this.#toWorker);
    this.#session = this.#hub.connect({
      output,
      destroy: () => {
        this.#toWorker.writable = false;
      },
      overflowed: (_, queuedBytes) => this.overflows.push(queuedBytes),
    });
    this.end.connected(this.#toPrimary);
  }
}

/** A turn of the event loop, in which what was said is written. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Until nothing is on its way any more. */
export async function settle(links: readonly MemoryHubLink[]): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    await turn();
    quiet = links.every(({ idle }) => idle) ? quiet + 1 : 0;
    for (const link of links) link.pass(Number.POSITIVE_INFINITY);
  }
}
