import { FrameOffset, lengthBytes, readCount } from "./hub-frame.ts";
import { endpointIdOf } from "./numbers.ts";
import type { RetainedMessage } from "./retained-replica.ts";

export function readRetainedFrame(bytes: Buffer, start: number, end: number): RetainedMessage {
  return {
    payload: bytes.subarray(start + FrameOffset.retainedPayload, end),
    sequence: readCount(bytes, start + FrameOffset.sequence),
    count: readCount(bytes, start + FrameOffset.count),
    from: endpointIdOf(readCount(bytes, start + FrameOffset.from)),
  };
}

/** As a replay brings them, one behind the other. */
export function readRetainedFrames(frames: Buffer): RetainedMessage[] {
  const messages: RetainedMessage[] = [];
  for (let start = 0; start < frames.length; ) {
    const end = start + lengthBytes + frames.readUInt32BE(start);
    messages.push(readRetainedFrame(frames, start, end));
    start = end;
  }
  return messages;
}
