import type { Clock } from "../model/clock.ts";
import type { BatchedOutput } from "./batched-output.ts";
import { type PrimaryControl, readWorkerControl } from "./control.ts";
import { HubError } from "./errors.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameOffset, FrameType, readCount } from "./hub-frame.ts";
import { maxControlBytes, maxFrameBytes, maxHelloBytes, maxQueuedBytes } from "./limits.ts";
import { channelNumber, instanceNumber } from "./numbers.ts";
import type { RequestDesk } from "./request-desk.ts";
import type { RetentionSettings } from "./retained-log.ts";
import type { Member, SharedChannel } from "./shared-channel.ts";

/** Since the hub was opened. */
export interface Passed {
  messages: number;
  bytesIn: number;
  bytesOut: number;
}

/** What all connections have in common. */
export interface Switchboard {
  readonly clock: Clock;
  readonly desk: RequestDesk;
  /** What has passed, counted by the sessions. */
  readonly passed: Passed;
  /** It has said who it is. */
  greet(session: HubSession): void;
  goodbye(session: HubSession): void;
  /** Keeps what this channel retains. */
  keep(channel: SharedChannel, frames: Buffer): void;
  /** A string says why there is no such channel. */
  join(name: string, retention: RetentionSettings | undefined): SharedChannel | string;
}

/** A worker's connection, as the primary's logic sees it. */
export interface WorkerWire {
  readonly output: BatchedOutput;
  /** Ends the connection, with what waits in it. */
  destroy(): void;
  /** The worker does not read, and is cut off for it. */
  overflowed(endpointId: string, queuedBytes: number): void;
}

/** Frames that go the same way, one behind the other in the same memory. */
interface Run {
  readonly type: number;
  readonly channel: SharedChannel;
  readonly bytes: Buffer;
  readonly start: number;
  end: number;
}

interface Acknowledgement {
  entries: number;
  count: number;
  sequence: number;
}

/** One worker's connection from hello to its end. What makes no sense is dropped; what cannot be framed ends it. */
export class HubSession implements Member {
  endpointId = "";
  instance = 0;
  readonly #hub: Switchboard;
  readonly #wire: WorkerWire;
  readonly #reader: FrameReader;
  readonly #channels = new Map<number, SharedChannel>();
  /** What this read brought to be retained. */
  readonly #toAcknowledge = new Map<number, Acknowledgement>();
  #run: Run | undefined;
  #over = false;

  constructor(hub: Switchboard, wire: WorkerWire) {
    this.#hub = hub;
    this.#wire = wire;
    this.#reader = new FrameReader((bytes, start, end) => this.#frame(bytes, start, end), maxHelloBytes);
  }

  receive(chunk: Buffer): void {
    this.#hub.passed.bytesIn += chunk.length;
    let broken = false;
    try {
      this.#reader.read(chunk);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      broken = true;
    }
    // Whatever has been given a number goes to the others in any case: their order has no gaps.
    this.#endRun();
    this.#acknowledge();
    if (broken) this.cut();
  }

  /** Takes it out of all channels, and tells their members. Idempotent. */
  lost(): void {
    if (this.#over) return;
    this.#over = true;
    for (const channel of this.#channels.values()) this.#leave(channel);
    this.#channels.clear();
    this.#hub.goodbye(this);
  }

  cut(): void {
    this.lost();
    this.#wire.destroy();
  }

  pass(frames: Buffer): void {
    if (this.#overflows(frames.length)) return;
    this.#hub.passed.bytesOut += frames.length;
    const { output } = this.#wire;
    output.batch.whole(frames);
    output.schedule();
  }

  tell(control: PrimaryControl): void {
    const { output } = this.#wire;
    output.batch.control(control);
    output.schedule();
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    const type = bytes[start + FrameOffset.type]!;
    if (this.instance === 0 && type !== FrameType.control)
      throw new HubError("LB_HUB_PROTOCOL", "No hello came first.");
    switch (type) {
      case FrameType.message:
        this.#append(type, bytes, start, end, FrameOffset.messagePayload);
        return;
      case FrameType.retained:
        this.#append(type, bytes, start, end, FrameOffset.retainedPayload);
        return;
      case FrameType.direct: {
        const channel = this.#channelOf(bytes, start, end, FrameOffset.directPayload);
        if (channel === undefined) return;
        this.#endRun();
        this.#hub.passed.messages += 1;
        channel.member(readCount(bytes, start + FrameOffset.to))?.pass(bytes.subarray(start, end));
        return;
      }
      case FrameType.control:
        if (end - start > maxControlBytes) throw new HubError("LB_HUB_PROTOCOL", "It says too much at once.");
        this.#endRun();
        this.#control(bytes.toString("utf8", start + FrameOffset.body, end));
        return;
      case FrameType.request: {
        if (end - start < FrameOffset.arguments) return;
        this.#endRun();
        // What it asks for comes after the numbers of what it retained before.
        this.#acknowledge();
        const { output } = this.#wire;
        this.#hub.desk.answer(bytes, start, end, output.batch);
        output.schedule();
        this.#overflows(0);
        return;
      }
    }
  }

  /** Whether so much more would be too much; then the worker is cut off. */
  #overflows(bytes: number): boolean {
    const { queuedBytes } = this.#wire.output;
    if (queuedBytes + bytes <= maxQueuedBytes) return false;
    if (!this.#over) {
      this.#wire.overflowed(this.endpointId, queuedBytes);
      this.cut();
    }
    return true;
  }

  /** The channel that a frame is for, if this worker is in it and says who it is. */
  #channelOf(bytes: Buffer, start: number, end: number, headBytes: number): SharedChannel | undefined {
    if (end - start < headBytes || readCount(bytes, start + FrameOffset.from) !== this.instance) return undefined;
    return this.#channels.get(readCount(bytes, start + FrameOffset.channel));
  }

  #append(type: number, bytes: Buffer, start: number, end: number, headBytes: number): void {
    const channel = this.#channelOf(bytes, start, end, headBytes);
    if (channel === undefined) return;
    this.#hub.passed.messages += 1;
    if (type === FrameType.retained) this.#number(channel, bytes, start);
    const run = this.#run;
    if (run !== undefined && run.bytes === bytes && run.end === start && run.type === type && run.channel === channel) {
      run.end = end;
      return;
    }
    this.#endRun();
    this.#run = { type, channel, bytes, start, end };
  }

  #number(channel: SharedChannel, bytes: Buffer, start: number): void {
    const sequence = channel.number(bytes, start);
    const count = readCount(bytes, start + FrameOffset.count);
    const number = readCount(bytes, start + FrameOffset.channel);
    const acknowledgement = this.#toAcknowledge.get(number);
    if (acknowledgement === undefined) {
      this.#toAcknowledge.set(number, { entries: 1, count, sequence });
      return;
    }
    acknowledgement.entries += 1;
    acknowledgement.count = count;
    acknowledgement.sequence = sequence;
  }

  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { channel, type, start, end } = run;
    const frames = run.bytes.subarray(start, end);
    if (type === FrameType.retained) this.#hub.keep(channel, frames);
    channel.pass(frames, this);
  }

  #acknowledge(): void {
    if (this.#toAcknowledge.size === 0) return;
    const { output } = this.#wire;
    for (const [channel, { entries, count, sequence }] of this.#toAcknowledge) {
      output.batch.acknowledged(channel, entries, count, sequence);
    }
    this.#toAcknowledge.clear();
    output.schedule();
  }

  #control(text: string): void {
    const control = readWorkerControl(text);
    if (control === undefined) return;
    switch (control.kind) {
      case "hello": {
        const instance = instanceNumber(control.endpointId);
        if (instance === undefined || this.instance !== 0)
          throw new HubError("LB_HUB_PROTOCOL", "A hello out of order.");
        this.endpointId = control.endpointId;
        this.instance = instance;
        this.#reader.maxBytes = maxFrameBytes;
        this.#hub.greet(this);
        return;
      }
      case "join": {
        if (this.instance === 0) return;
        const { name } = control;
        const channel = this.#hub.join(name, control.retention);
        if (typeof channel === "string") {
          this.tell({ kind: "refused", name, reason: channel });
          return;
        }
        const { members, sequence } = channel;
        this.tell({ kind: "joined", name, members: [...members].map(({ endpointId }) => endpointId), sequence });
        channel.add(this);
        this.#channels.set(channelNumber(name), channel);
        this.#tellMembers(channel, true);
        return;
      }
      case "leave": {
        const number = channelNumber(control.name);
        const channel = this.#channels.get(number);
        if (channel === undefined) return;
        this.#acknowledge();
        this.#channels.delete(number);
        this.#leave(channel);
        return;
      }
    }
  }

  #leave(channel: SharedChannel): void {
    channel.remove(this);
    this.#tellMembers(channel, false);
  }

  #tellMembers({ name, members }: SharedChannel, present: boolean): void {
    for (const member of members) {
      if (member !== this) member.tell({ kind: "member", name, endpointId: this.endpointId, present });
    }
  }
}
