import { defaultFrameBytes, defaultWindow, type ErrorCode, errorCode, maxWindow, settingId } from "./protocol.ts";

/** Settings in one frame; there are not ten that anybody knows. */
const maxSettings = 32;
const settingBytes = 6;
/** RFC 7541 §4.2: what its table is at first. */
const defaultTableBytes = 4_096;
const largestFrameBytes = 2 ** 24 - 1;

/** What the client has said of itself, as far as it concerns what we send. */
export class PeerSettings {
  /** What each of its streams may be sent at first. */
  windowBytes: number = defaultWindow;
  tableBytes = defaultTableBytes;

  /** The payload of a SETTINGS frame (RFC 9113 §6.5). Answers what is wrong with it. */
  read(buffer: Buffer, start: number, end: number): ErrorCode | undefined {
    const length = end - start;
    if (length % settingBytes !== 0) return errorCode.frameSizeError;
    if (length > maxSettings * settingBytes) return errorCode.enhanceYourCalm;
    for (let at = start; at < end; at += settingBytes) {
      const wrong = this.#apply(buffer.readUInt16BE(at), buffer.readUInt32BE(at + 2));
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #apply(id: number, value: number): ErrorCode | undefined {
    switch (id) {
      case settingId.headerTableSize:
        this.tableBytes = value;
        return undefined;
      case settingId.enablePush:
      case settingId.enableConnectProtocol:
        return value > 1 ? errorCode.protocolError : undefined;
      case settingId.initialWindowSize:
        if (value > maxWindow) return errorCode.flowControlError;
        this.windowBytes = value;
        return undefined;
      case settingId.maxFrameSize:
        // We send none that is longer than the least of them.
        return value < defaultFrameBytes || value > largestFrameBytes ? errorCode.protocolError : undefined;
      default:
        return undefined;
    }
  }
}
