import { connect, type Socket } from "node:net";
import { BatchedOutput } from "../hub/batched-output.ts";
import type { PrimaryControl } from "../hub/control.ts";
import { HubError } from "../hub/errors.ts";
import { FrameOffset, FrameType, readCount } from "../hub/frame.ts";
import type { Payload } from "../hub/frame-batch.ts";
import { FrameReader } from "../hub/frame-reader.ts";
import { maxQueuedBytes } from "../hub/limits.ts";
import { PendingRequests, type Reply } from "../hub/pending-requests.ts";
import type { RetentionSettings } from "../hub/retained-log.ts";
import { WorkerChannel, type WorkerHub } from "../hub/worker-channel.ts";
import type { Clock } from "../model/clock.ts";

export interface HubConnectionOptions {
  /** The primary's socket. */
  readonly path: string;
  readonly endpointId: string;
  readonly clock: Clock;
}

type State =
  /** Nobody has used it. */
  | { readonly kind: "unused" }
  | { readonly kind: "connecting" }
  | { readonly kind: "open"; readonly since: number }
  /** The primary is gone, and with it everything that this is for. */
  | { readonly kind: "lost"; readonly error: HubError };

/** A connection that breaks sooner than this is not made anew at once. */
const briefMs = 1_000;
const retryMs = 100;

/** This worker's connection to the hub: made at the first use, and again when it breaks. It holds no process. */
export class HubConnection implements WorkerHub {
  readonly endpointId: string;
  readonly clock: Clock;
  readonly #path: string;
  readonly #channels = new Map<number, WorkerChannel>();
  readonly #pending: PendingRequests;
  /** Of this connection, or of the one that is to come. */
  #output = new BatchedOutput();
  #state: State = { kind: "unused" };

  constructor({ path, endpointId, clock }: HubConnectionOptions) {
    this.#path = path;
    this.endpointId = endpointId;
    this.clock = clock;
    this.#pending = new PendingRequests(clock);
  }

  /** The channel of that name; who asks for it first says what it retains. */
  channel(name: string, retention: RetentionSettings | undefined): WorkerChannel {
    const made = new WorkerChannel(name, this, retention);
    const channel = this.#channels.get(made.number);
    if (channel?.name === name) return channel;
    if (channel !== undefined) made.told({ kind: "refused", name, reason: "another channel has its number" });
    else {
      const output = this.output();
      this.#channels.set(made.number, made);
      made.join(output, false);
      output.schedule();
    }
    return made;
  }

  closed(channel: WorkerChannel): void {
    this.#channels.delete(channel.number);
  }

  output(): BatchedOutput {
    if (this.#state.kind === "lost") throw this.#state.error;
    if (this.#state.kind === "unused") this.#begin(0);
    if (this.#output.queuedBytes > maxQueuedBytes) {
      const message = `More than ${maxQueuedBytes} bytes wait for the primary, which does not read: send less, or later.`;
      throw new HubError("LB_HUB_BACKLOG", message);
    }
    return this.#output;
  }

  request(operation: number, numbers: readonly number[], payload: Payload): Promise<Reply> {
    return this.#pending.add((id) => {
      const output = this.output();
      output.batch.request(id, operation, numbers, payload);
      output.schedule();
    });
  }

  /** Who we are, and which channels we are on, go first. */
  #begin(delayMs: number): void {
    const again = this.#state.kind !== "unused";
    this.#output = new BatchedOutput();
    this.#output.batch.control({ kind: "hello", endpointId: this.endpointId });
    for (const channel of this.#channels.values()) channel.join(this.#output, again);
    this.#state = { kind: "connecting" };
    if (delayMs === 0) this.#connect();
    else this.clock.after(delayMs, () => this.#connect());
  }

  #connect(): void {
    const socket = connect(this.#path);
    socket.unref();
    let failure: (Error & { readonly code?: string }) | undefined;
    const reader = new FrameReader((bytes, start, end) => this.#frame(bytes, start, end));
    socket.on("connect", () => {
      this.#state = { kind: "open", since: this.clock.now() };
      this.#output.attach(socket);
    });
    socket.on("data", (chunk) => this.#read(reader, chunk, socket));
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => this.#closed(failure));
  }

  #read(reader: FrameReader, chunk: Buffer, socket: Socket): void {
    try {
      reader.read(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  }

  #closed(failure: (Error & { readonly code?: string }) | undefined): void {
    const state = this.#state;
    switch (state.kind) {
      case "open": {
        const message = "The connection to the primary broke; whether this was done is not known.";
        this.#pending.rejectAll(new HubError("LB_HUB_CUT", message, { cause: failure }));
        this.#begin(this.clock.now() - state.since >= briefMs ? 0 : retryMs);
        return;
      }
      case "connecting":
        // As many connections wait to be accepted as the system allows: the primary is there.
        if (failure?.code === "EAGAIN") this.clock.after(retryMs, () => this.#connect());
        else this.#lost(failure);
        return;
      case "unused":
      case "lost":
        return;
    }
  }

  #lost(cause: Error | undefined): void {
    const error = new HubError("LB_HUB_LOST", "The primary is gone: this instance is alone, and drains.", { cause });
    this.#state = { kind: "lost", error };
    this.#pending.rejectAll(error);
    for (const channel of this.#channels.values()) channel.end(error);
    this.#channels.clear();
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    switch (bytes[start + FrameOffset.type]) {
      case FrameType.message:
        this.#channelOf(bytes, start)?.message(bytes, start, end, FrameOffset.messagePayload);
        return;
      case FrameType.direct:
        this.#channelOf(bytes, start)?.message(bytes, start, end, FrameOffset.directPayload);
        return;
      case FrameType.retained:
        this.#channelOf(bytes, start)?.retainedFrame(bytes, start, end);
        return;
      case FrameType.acknowledged:
        this.#channelOf(bytes, start)?.acknowledged(bytes, start);
        return;
      case FrameType.control: {
        const control = JSON.parse(bytes.toString("utf8", start + FrameOffset.body, end)) as PrimaryControl;
        const channel = [...this.#channels.values()].find(({ name }) => name === control.name);
        channel?.told(control);
        return;
      }
      case FrameType.reply:
        this.#pending.settle(bytes, start, end);
        return;
    }
  }

  #channelOf(bytes: Buffer, start: number): WorkerChannel | undefined {
    return this.#channels.get(readCount(bytes, start + FrameOffset.channel));
  }
}
