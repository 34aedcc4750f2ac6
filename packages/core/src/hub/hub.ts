import type { Clock } from "../model/clock.ts";
import type { HubCounts } from "./hub-counts.ts";
import { maxChannels, maxNameBytes, maxRetainedBytes } from "./limits.ts";
import { channelNumber } from "./numbers.ts";
import { RequestDesk } from "./request-desk.ts";
import type { RetentionSettings } from "./retained-log.ts";
import { HubSession, type Passed, type Switchboard, type WorkerWire } from "./session.ts";
import { SharedChannel } from "./shared-channel.ts";

/** The primary's part: channels, counters and the store. It knows nothing of sockets. */
export class Hub implements Switchboard {
  readonly desk: RequestDesk;
  readonly clock: Clock;
  readonly passed: Passed = { messages: 0, bytesIn: 0, bytesOut: 0 };
  readonly #channels = new Map<number, SharedChannel>();
  readonly #sessions = new Map<string, HubSession>();
  /** No channel that is made anew repeats the numbers of one that was forgotten. */
  #highestSequence = 0;
  /** At least what all channels retain: what they forget by themselves is noticed by the next sweep. */
  #retainedBytes = 0;

  readonly #maxRetainedBytes: number;

  constructor(clock: Clock, maxRetained = maxRetainedBytes) {
    this.clock = clock;
    this.#maxRetainedBytes = maxRetained;
    this.desk = new RequestDesk(clock, this);
  }

  get counts(): HubCounts {
    return { ...this.passed, channels: this.#channels.size };
  }

  connect(wire: WorkerWire): HubSession {
    return new HubSession(this, wire);
  }

  /** A worker that comes again has lost its former connection, whether we know it yet or not. */
  greet(session: HubSession): void {
    this.#sessions.get(session.endpointId)?.cut();
    this.#sessions.set(session.endpointId, session);
  }

  goodbye(session: HubSession): void {
    if (this.#sessions.get(session.endpointId) === session) this.#sessions.delete(session.endpointId);
  }

  /** Throws away nothing that is in use. A string says why not. */
  join(name: string, retention: RetentionSettings | undefined): SharedChannel | string {
    if (name === "" || Buffer.byteLength(name) > maxNameBytes) return `its name has not 1 to ${maxNameBytes} bytes`;
    const number = channelNumber(name);
    const now = this.clock.now();
    let channel = this.#channels.get(number);
    if (channel === undefined) {
      if (this.#channels.size >= maxChannels) this.#forgetIdle(now);
      if (this.#channels.size >= maxChannels) return `there are ${maxChannels} channels already`;
      channel = new SharedChannel(name, this.#highestSequence);
      this.#channels.set(number, channel);
    }
    if (channel.name !== name) return "its name cannot be told from another channel's: give it another one";
    if (retention !== undefined) channel.retain(retention, now);
    return channel;
  }

  keep(channel: SharedChannel, frames: Buffer): void {
    const now = this.clock.now();
    const before = channel.retainedBytes;
    channel.keep(frames, now);
    this.#retainedBytes += channel.retainedBytes - before;
    if (this.#retainedBytes <= this.#maxRetainedBytes) return;
    this.sweep();
    const tooMany = this.#retainedBytes - this.#maxRetainedBytes;
    if (tooMany <= 0) return;
    const kept = channel.retainedBytes;
    channel.shrink(tooMany, now);
    this.#retainedBytes -= kept - channel.retainedBytes;
  }

  /** Forgets what has expired where nobody has looked. To be called now and then. */
  sweep(): void {
    const now = this.clock.now();
    this.desk.sweep(now);
    this.#retainedBytes = 0;
    for (const channel of this.#channels.values()) {
      channel.expire(now);
      this.#retainedBytes += channel.retainedBytes;
    }
  }

  replay(number: number, after: number, to: number) {
    return this.#channels.get(number)?.replay(after, to, this.clock.now());
  }

  #forgetIdle(now: number): void {
    for (const [number, channel] of this.#channels) {
      if (!channel.isIdle(now)) continue;
      this.#channels.delete(number);
      this.#highestSequence = Math.max(this.#highestSequence, channel.sequence);
    }
  }
}
