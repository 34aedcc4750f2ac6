import type { Clock } from "../model/clock.ts";
import { BatchedOutput } from "./batched-output.ts";
import type { PrimaryControl } from "./control.ts";
import { backlogError, HubError } from "./errors.ts";
import { FrameReader } from "./frame-reader.ts";
import type { Payload } from "./gathered-frames.ts";
import { FrameOffset, FrameType, readCount } from "./hub-frame.ts";
import { maxQueuedBytes } from "./limits.ts";
import { channelNumber } from "./numbers.ts";
import { PendingRequests, type Reply } from "./pending-requests.ts";
import type { RetentionSettings } from "./retained-log.ts";
import { WorkerChannel } from "./worker-channel.ts";
import type { WorkerHub } from "./worker-hub.ts";

export interface WorkerEndOptions {
  readonly endpointId: string;
  readonly clock: Clock;
  /** Somebody uses it for the first time: it is to be connected. */
  readonly connect: () => void;
}

/** The worker's part: its channels and its questions, over one connection after the other. It knows nothing of sockets. */
export class WorkerEnd implements WorkerHub {
  readonly endpointId: string;
  readonly clock: Clock;
  readonly #connect: () => void;
  readonly #channels = new Map<number, WorkerChannel>();
  readonly #pending: PendingRequests;
  /** Of this connection, or of the one that is to come. */
  #output = new BatchedOutput();
  #reader = this.#newReader();
  #state: "unused" | "used" | HubError = "unused";

  constructor({ endpointId, clock, connect }: WorkerEndOptions) {
    this.endpointId = endpointId;
    this.clock = clock;
    this.#connect = connect;
    this.#pending = new PendingRequests(clock);
  }

  /** The channel of that name; who asks for it first says what it retains. */
  channel(name: string, retention: RetentionSettings | undefined): WorkerChannel {
    const made = new WorkerChannel(name, this, retention);
    const channel = this.#channels.get(made.number);
    if (channel?.name === name) return channel;
    if (channel !== undefined) {
      made.told({ kind: "refused", name, reason: "another channel has its number" });
      return made;
    }
    const output = this.output();
    this.#channels.set(made.number, made);
    made.join(output, false);
    output.schedule();
    return made;
  }

  leave(name: string): void {
    if (this.#state !== "used") return;
    // However much waits already: it is little, and closing does not fail.
    this.#output.batch.control({ kind: "leave", name });
    this.#output.schedule();
  }

  closed(channel: WorkerChannel): void {
    this.#channels.delete(channel.number);
  }

  output(): BatchedOutput {
    if (this.#state instanceof HubError) throw this.#state;
    if (this.#state === "unused") {
      this.#begin(false);
      this.#state = "used";
      this.#connect();
    }
    if (this.#output.queuedBytes > maxQueuedBytes) throw backlogError();
    return this.#output;
  }

  request(operation: number, numbers: readonly number[], payload: Payload): Promise<Reply> {
    return this.#pending.add((id) => {
      const output = this.output();
      output.batch.request(id, operation, numbers, payload);
      output.schedule();
    });
  }

  /** Where the frames of the current connection go; what waits goes there first. */
  connected(socket: Parameters<BatchedOutput["attach"]>[0]): void {
    this.#output.attach(socket);
  }

  /** @throws HubError `LB_HUB_PROTOCOL` when the connection cannot go on */
  receive(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  /** The connection is gone, and another one is to come. */
  broke(cause: Error | undefined): void {
    const message = "The connection to the primary broke; whether this was done is not known.";
    this.#pending.rejectAll(new HubError("LB_HUB_CUT", message, { cause }));
    this.#begin(true);
  }

  /** The primary is gone, and with it everything that this is for. */
  lost(cause: Error | undefined): void {
    const error = new HubError("LB_HUB_LOST", "The primary is gone: this instance is alone, and drains.", { cause });
    this.#state = error;
    this.#pending.rejectAll(error);
    for (const channel of this.#channels.values()) channel.end(error);
    this.#channels.clear();
  }

  /** Who we are, and which channels we are on, go first. */
  #begin(again: boolean): void {
    this.#reader = this.#newReader();
    this.#output = new BatchedOutput();
    this.#output.batch.control({ kind: "hello", endpointId: this.endpointId });
    for (const channel of this.#channels.values()) channel.join(this.#output, again);
  }

  #newReader(): FrameReader {
    return new FrameReader((bytes, start, end) => this.#frame(bytes, start, end));
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
        const channel = this.#channels.get(channelNumber(control.name));
        if (channel?.name === control.name) channel.told(control);
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
