import { CR, LF, latin1, SP, valueOctet } from "./octets.ts";
import type { ResponseFault } from "./rejection.ts";

const httpVersion = Buffer.from("HTTP/1.", "latin1");
/** Length of `HTTP/1.x SSS`: what has a fixed place. */
const fixedOctets = 12;

/** Checks a status line octet by octet as it arrives (RFC 9112 §4). A missing space before an empty reason is forgiven. */
export class StatusLineScanner {
  status = 0;
  reason = "";
  minorVersion: 0 | 1 = 1;
  /** Octets read so far: the whole line with its CRLF once `scan` answered `"complete"`. */
  checked = 0;
  #phase: "fixed" | "reason" | "line-feed" = "fixed";

  reset(): void {
    this.status = 0;
    this.checked = 0;
    this.#phase = "fixed";
  }

  scan(buffer: Buffer, origin: number, end: number): ResponseFault | "complete" | "incomplete" {
    let at = origin + this.checked;
    while (this.#phase === "fixed" && at < end) {
      const fault = this.#fixedFault(buffer[at]!, at - origin);
      if (fault !== undefined) return fault;
      at++;
    }
    if (this.#phase === "reason") {
      while (at < end && valueOctet[buffer[at]!] === 1) at++;
      if (at < end) {
        if (buffer[at] !== CR) return buffer[at] === LF ? "bare-lf" : "control-octet";
        at++;
        this.#phase = "line-feed";
      }
    }
    this.checked = at - origin;
    if (this.#phase !== "line-feed" || at >= end) return "incomplete";
    if (buffer[at] !== LF) return "bare-cr";
    this.checked++;
    const start = origin + fixedOctets + 1;
    this.reason = start < at ? latin1(buffer, start, at - 1) : "";
    return "complete";
  }

  /** Checks the octet at `position`, up to the one behind the status code. */
  #fixedFault(octet: number, position: number): ResponseFault | undefined {
    if (position < 7) return octet === httpVersion[position] ? undefined : "status-line";
    const digit = octet - 0x30;
    switch (position) {
      case 7:
        if (digit < 0 || digit > 1) return digit > 1 && digit < 10 ? "version-unsupported" : "status-line";
        this.minorVersion = digit === 0 ? 0 : 1;
        return undefined;
      case 8:
        return octet === SP ? undefined : "status-line";
      case 9:
        if (digit < 1 || digit > 5) return digit >= 0 && digit <= 9 ? "status" : "status-line";
        this.status = digit;
        return undefined;
      case 10:
      case 11:
        if (digit < 0 || digit > 9) return "status-line";
        this.status = this.status * 10 + digit;
        return undefined;
      default:
        if (octet !== SP && octet !== CR) return octet === LF ? "bare-lf" : "status-line";
        this.#phase = octet === SP ? "reason" : "line-feed";
        return undefined;
    }
  }
}
