// The numbers of RFC 9113.

/** What a client of HTTP/2 says first (§3.4). */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** §4.1: length (3), type (1), flags (1), stream (4). */
export const frameHeadBytes = 9;
/** §6.5.2: of a payload, as long as nobody has asked for more. */
export const defaultFrameBytes = 16_384;
/** §6.9.1. */
export const maxWindow = 2 ** 31 - 1;
/** §6.9.2: of a stream and of a connection, until something else is said. */
export const defaultWindow = 65_535;
/** §5.1.1: in a first GOAWAY it says that all are answered that come (§6.8). */
export const maxStreamId = 2 ** 31 - 1;

/** §6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = {
  endStream: 0x01,
  /** Of SETTINGS and PING. */
  ack: 0x01,
  endHeaders: 0x04,
  padded: 0x08,
  priority: 0x20,
} as const;

/** §7. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

/** §6.5.2; RFC 8441 §3. */
export const settingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;
