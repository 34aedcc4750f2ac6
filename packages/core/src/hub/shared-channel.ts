import type { PrimaryControl } from "./control.ts";
import { FrameOffset, lengthBytes, writeCount } from "./hub-frame.ts";
import { retainedOverheadBytes } from "./limits.ts";
import { RetainedLog, type RetentionSettings } from "./retained-log.ts";

/** One worker's connection, as a channel sees it. */
export interface Member {
  readonly endpointId: string;
  readonly instance: number;
  /** Passes on frames as they are. */
  pass(frames: Buffer): void;
  tell(control: PrimaryControl): void;
}

/** The primary's side of a channel: who is in it, and the numbers of what is retained. */
export class SharedChannel {
  readonly name: string;
  readonly #members = new Map<number, Member>();
  #log: RetainedLog<Buffer> | undefined;
  #retention: string | undefined;
  #sequence: number;

  constructor(name: string, sequence: number) {
    this.name = name;
    this.#sequence = sequence;
  }

  /** Of the last retained message. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Nobody is in it, and nothing that anybody could ask for. */
  isIdle(now: number): boolean {
    this.#log?.expire(now);
    return this.#members.size === 0 && (this.#log === undefined || this.#log.floor === this.#sequence);
  }

  get members(): Iterable<Member> {
    return this.#members.values();
  }

  member(instance: number): Member | undefined {
    return this.#members.get(instance);
  }

  add(member: Member): void {
    this.#members.set(member.instance, member);
  }

  remove(member: Member): void {
    if (this.#members.get(member.instance) === member) this.#members.delete(member.instance);
  }

  /** The last who says so is right: it runs the newest version of the program. */
  retain(settings: RetentionSettings, now: number): void {
    const text = JSON.stringify(settings);
    if (this.#retention === text) return;
    this.#retention = text;
    const before = this.#log;
    this.#log = new RetainedLog(settings, before?.floor ?? this.#sequence);
    for (const [, frame] of before?.after(0) ?? []) this.#log.append(frame, frame.length, now);
  }

  /** Numbers a retained frame, in place. */
  number(bytes: Buffer, start: number): number {
    this.#sequence += 1;
    writeCount(bytes, this.#sequence, start + FrameOffset.sequence);
    return this.#sequence;
  }

  pass(frames: Buffer, from: Member): void {
    for (const member of this.#members.values()) if (member !== from) member.pass(frames);
  }

  /** With what keeping them takes. */
  get retainedBytes(): number {
    return this.#log === undefined ? 0 : this.#log.bytes + this.#log.size * retainedOverheadBytes;
  }

  expire(now: number): void {
    this.#log?.expire(now);
  }

  /** Forgets the oldest that it retains, so many bytes of it. */
  shrink(bytes: number, now: number): void {
    this.#log?.shrink(Math.max(0, this.retainedBytes - bytes), retainedOverheadBytes, now);
  }

  /** Keeps frames that have been numbered. In memory of their own, since what they were read with may be larger by far. */
  keep(frames: Buffer, now: number): void {
    if (this.#log === undefined) return;
    const own = Buffer.from(frames);
    for (let start = 0; start < own.length; ) {
      const end = start + lengthBytes + own.readUInt32BE(start);
      this.#log.append(own.subarray(start, end), end - start, now);
      start = end;
    }
  }

  /** Retained frames with sequences above `after`, up to `to`, as far as they are there: everything above the floor is. */
  replay(after: number, to: number, now: number): { readonly floor: number; readonly frames: Buffer } {
    const log = this.#log;
    if (log === undefined) return { floor: this.#sequence, frames: Buffer.alloc(0) };
    log.expire(now);
    const frames: Buffer[] = [];
    for (const [sequence, frame] of log.after(after)) {
      if (sequence > to) break;
      frames.push(frame);
    }
    return { floor: log.floor, frames: Buffer.concat(frames) };
  }
}
