/**
 * The frame format of the link, version 1. Eight bytes of header, big-endian, then the payload:
 *
 *     type u8 · flags u8 · stream u24 · payload length u24
 *
 * | frame        | from   | stream | payload                                                                |
 * |--------------|--------|--------|------------------------------------------------------------------------|
 * | HELLO        | both   | 0      | magic, version u16, 0 u16, window u32, max streams u32                 |
 * | OPEN         | front  | n      | client port u16, client address in ASCII                               |
 * | DATA         | both   | n      | 1 to 262,144 bytes of the stream                                       |
 * | RESPONSE_END | worker | n      | –                                                                      |
 * | FIN          | both   | n      | –                                                                      |
 * | CLOSE        | both   | n      | –                                                                      |
 * | WINDOW       | both   | n      | bytes u32 that may be sent on top of what is left                      |
 * | GOAWAY       | worker | 0      | –                                                                      |
 *
 * HELLO is the first frame of each side. Its header, magic and version stay where they are in every version; a later one
 * may append fields.
 *
 * CLOSE is the last frame that a side sends for a stream, and each side sends one, at the latest in answer to the other's;
 * a stream's number is free for a side once it has sent and received CLOSE. So a number is never reused while frames of
 * its former life are under way, and a frame for a number that is not in use is always a mistake of the peer.
 */
export const HEADER_BYTES = 8;
export const PROTOCOL_VERSION = 1;

/** Never the start of an HTTP request, so that an intake can tell the two apart by the first byte. */
export const HELLO = 1;
export const OPEN = 2;
export const DATA = 3;
export const RESPONSE_END = 4;
export const FIN = 5;
export const CLOSE = 6;
export const WINDOW = 7;
export const GOAWAY = 8;

/** On DATA: the response ends with the last byte of this frame; saves a RESPONSE_END. */
export const FLAG_RESPONSE_END = 1;
/** On OPEN: the client reached the front over TLS. */
export const FLAG_ENCRYPTED = 1;
/**
 * On FIN and CLOSE from the worker: no byte of the exchange that may be under way has reached the application, which closed the
 * stream while it was idle. The front may send the request elsewhere, whatever its method.
 */
export const FLAG_UNSEEN = 1;

export const MAGIC = 0x4c_42_4c_4b; // "LBLK"
export const HELLO_BYTES = 16;
export const WINDOW_BYTES = 4;
/** An IPv6 address with its zone is well below. */
export const ADDRESS_MAX_BYTES = 64;
export const OPEN_MIN_BYTES = 2;
export const OPEN_MAX_BYTES = OPEN_MIN_BYTES + ADDRESS_MAX_BYTES;
/** Payloads of this size are collected when a read splits them; those of DATA never are. */
export const CONTROL_MAX_BYTES = OPEN_MAX_BYTES;

/**
 * Smaller frames would not let other streams in between, since a stream may send its whole window in one batch; and every
 * border between two costs the reader one more write of its own.
 */
export const MAX_PAYLOAD_BYTES = 262_144;
/** More credit than this is a mistake of the peer; far above any window. */
export const MAX_CREDIT_BYTES = 0x7fff_ffff;

/** What a side tells of itself in its HELLO. */
export interface Hello {
  /** Bytes the peer may send on each stream before it is granted more. */
  readonly windowBytes: number;
  /** The highest stream number that is accepted. */
  readonly maxStreams: number;
}

/**
 * 256 KB let one stream move about 2 GB/s at the link's usual round trip of 100 µs, and bound what a stream can make
 * either side hold.
 */
export const DEFAULT_HELLO: Hello = {
  windowBytes: 262_144,
  maxStreams: 1_048_576,
};

/** The client of a stream, as OPEN carries it. */
export interface StreamClient {
  /** Empty: none. */
  readonly address: string;
  readonly port: number;
  readonly encrypted: boolean;
}
