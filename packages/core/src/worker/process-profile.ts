import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { Session } from "node:inspector/promises";
import type { ProfileFacts, ProfileOrder } from "../ipc/profile-messages.ts";
import type { Clock } from "../model/clock.ts";

/** Between two looks at the stack: as fine as V8's own default for files. */
const samplingUs = 1_000;

/** Takes a profile of this process by V8's inspector, into a new file that its user alone can read. */
export async function takeProfile(order: ProfileOrder, clock: Clock): Promise<ProfileFacts> {
  // Loaded when it is asked for: what does not profile does not pay for it, and some Node.js is built without.
  const inspector = process.getBuiltinModule("node:inspector/promises");
  if (inspector === undefined) throw new Error("this Node.js is built without the inspector.");
  const file = new BoundedFile(order);
  const session = new inspector.Session();
  try {
    session.connect();
    const blockedMs = await (order.kind === "cpu" ? cpuProfile : heapSnapshot)(session, file, { ms: order.ms, clock });
    return { bytes: file.close(), blockedMs: Math.round(blockedMs) };
  } catch (error) {
    file.discard();
    throw error;
  } finally {
    session.disconnect();
  }
}

interface Duration {
  readonly ms: number;
  readonly clock: Clock;
}

async function cpuProfile(session: Session, file: BoundedFile, { ms, clock }: Duration): Promise<number> {
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: samplingUs });
  const began = clock.now();
  await session.post("Profiler.start");
  const started = clock.now();
  await new Promise<void>((over) => void clock.after(ms, over));
  const stops = clock.now();
  const { profile } = await session.post("Profiler.stop");
  file.write(JSON.stringify(profile));
  return started - began + clock.now() - stops;
}

/** Written as it comes, within one call: it is never in memory as a whole, which would not have room for two heaps. */
async function heapSnapshot(session: Session, file: BoundedFile, { clock }: Duration): Promise<number> {
  let failure: unknown;
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params: { chunk } }) => {
    if (failure !== undefined) return;
    try {
      file.write(chunk);
    } catch (error) {
      failure = error;
    }
  });
  const began = clock.now();
  await session.post("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  if (failure !== undefined) throw failure;
  return clock.now() - began;
}

/** A new file that grows to a bound. */
class BoundedFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #descriptor: number;
  #bytes = 0;

  constructor({ path, maxBytes }: ProfileOrder) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#descriptor = openSync(path, "wx", 0o600);
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) throw new Error(`it is larger than ${this.#maxBytes} bytes.`);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
  }

  close(): number {
    closeSync(this.#descriptor);
    return this.#bytes;
  }

  discard(): void {
    closeSync(this.#descriptor);
    rmSync(this.#path, { force: true });
  }
}
