import { defaultFrameBytes, type ErrorCode, errorCode, flag, frameType } from "./protocol.ts";

/** What is known where a frame begins. */
export interface FramePlace {
  /** Nothing was received before it. */
  readonly first: boolean;
  /** The stream whose header block is not complete; 0: none. */
  readonly incomplete: number;
}

/** What is wrong with a frame whatever it says: its place, its stream, its length (RFC 9113 §4.2, §6). All end the connection. */
export function frameFault(
  { type, flags, stream, length }: { type: number; flags: number; stream: number; length: number },
  { first, incomplete }: FramePlace,
): ErrorCode | undefined {
  if (length > defaultFrameBytes) return errorCode.frameSizeError;
  const { protocolError, frameSizeError } = errorCode;
  const continues = type === frameType.continuation;
  if (incomplete === 0 ? continues : !continues || stream !== incomplete) return protocolError;
  const ack = (flags & flag.ack) !== 0;
  if (first && (type !== frameType.settings || ack)) return protocolError;
  switch (type) {
    case frameType.data:
    case frameType.headers:
    case frameType.continuation:
      // Those with even numbers are a server's.
      return stream % 2 === 0 ? protocolError : undefined;
    case frameType.priority:
      if (stream === 0) return protocolError;
      return length === 5 ? undefined : frameSizeError;
    case frameType.rstStream:
      if (stream === 0) return protocolError;
      return length === 4 ? undefined : frameSizeError;
    case frameType.settings:
      if (stream !== 0) return protocolError;
      return ack && length > 0 ? frameSizeError : undefined;
    case frameType.ping:
      if (stream !== 0) return protocolError;
      return length === 8 ? undefined : frameSizeError;
    case frameType.goaway:
      if (stream !== 0) return protocolError;
      return length >= 8 ? undefined : frameSizeError;
    case frameType.windowUpdate:
      return length === 4 ? undefined : frameSizeError;
    case frameType.pushPromise:
      return protocolError;
    default:
      return undefined;
  }
}
