import { isAuthority } from "./authority.ts";
import { CR, LF, latin1, SP, targetOctet } from "./octets.ts";
import type { RequestFault } from "./rejection.ts";

/** Methods that Node's parser takes, but for TRACE and CONNECT; a worker could not read any other. */
const methods = new Map<string, string>(
  [
    ..."GET HEAD POST PUT DELETE OPTIONS PATCH ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE MKACTIVITY".split(" "),
    ..."MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE QUERY REBIND REPORT SEARCH SOURCE".split(" "),
    ..."SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split(" "),
  ].map((method) => [method, method]),
);

const maxMethodBytes = 11;
const maxEmptyLines = 4;
const httpVersion = Buffer.from("HTTP/", "latin1");
const hyphen = 0x2d;

/**
 * Checks a request line octet by octet as it arrives (RFC 9112 §3), like {@link FieldScanner}. One space between the
 * parts and none elsewhere; up to four empty lines before it are skipped (§2.2).
 */
export class RequestLineScanner {
  method = "";
  /** Origin-form, or `*`; an absolute-form target is reduced to it. */
  target = "";
  /** The authority of an absolute-form target. */
  authority: string | undefined = undefined;
  minorVersion: 0 | 1 = 1;
  readonly #maxTargetBytes: number;
  #phase: "empty-lines" | "line-feed" | "method" | "target" | "version" = "empty-lines";
  #emptyLines = 0;
  /** Where the part being read begins, counted from the start of the message. */
  #partStart = 0;
  #checked = 0;

  constructor(maxTargetBytes: number) {
    this.#maxTargetBytes = maxTargetBytes;
  }

  reset(): void {
    this.authority = undefined;
    this.#phase = "empty-lines";
    this.#emptyLines = 0;
    this.#checked = 0;
  }

  /** Octets read so far: the whole line with its CRLF once `scan` answered `"complete"`. */
  get checked(): number {
    return this.#checked;
  }

  get inTarget(): boolean {
    return this.#phase === "target";
  }

  scan(buffer: Buffer, origin: number, end: number): RequestFault | "complete" | "incomplete" {
    let at = origin + this.#checked;
    for (;;) {
      if (at >= end) {
        this.#checked = at - origin;
        return "incomplete";
      }
      switch (this.#phase) {
        case "empty-lines":
          if (buffer[at] === CR) {
            if (this.#emptyLines++ === maxEmptyLines) return "empty-lines";
            at++;
            this.#phase = "line-feed";
            break;
          }
          if (buffer[at] === LF) return "bare-lf";
          this.#partStart = at - origin;
          this.#phase = "method";
          break;
        case "line-feed":
          if (buffer[at] !== LF) return "bare-cr";
          at++;
          this.#phase = "empty-lines";
          break;
        case "method": {
          const start = origin + this.#partStart;
          while (at < end && isMethodOctet(buffer[at]!) && at - start <= maxMethodBytes) at++;
          if (at === end) break;
          if (buffer[at] !== SP) return "method";
          const fault = this.#readMethod(buffer, start, at);
          if (fault !== undefined) return fault;
          at++;
          this.#partStart = at - origin;
          this.#phase = "target";
          break;
        }
        case "target": {
          const start = origin + this.#partStart;
          const limit = Math.min(end, start + this.#maxTargetBytes + 1);
          while (at < limit && targetOctet[buffer[at]!] === 1) at++;
          if (at - start > this.#maxTargetBytes) return "target-too-large";
          if (at === end) break;
          if (buffer[at] !== SP) return targetFault(buffer[at]!);
          const fault = this.#readTarget(latin1(buffer, start, at));
          if (fault !== undefined) return fault;
          at++;
          this.#partStart = at - origin;
          this.#phase = "version";
          break;
        }
        case "version": {
          const start = origin + this.#partStart;
          while (at < end) {
            const fault = this.#versionFault(buffer[at]!, at - start);
            if (fault !== undefined) return fault;
            if (at++ - start === 9) {
              this.#checked = at - origin;
              return "complete";
            }
          }
          break;
        }
      }
    }
  }

  #readMethod(buffer: Buffer, start: number, end: number): RequestFault | undefined {
    if (end - start === 3 && buffer[start] === 0x47 && buffer[start + 1] === 0x45 && buffer[start + 2] === 0x54) {
      this.method = "GET";
      return undefined;
    }
    const token = latin1(buffer, start, end);
    const method = methods.get(token);
    if (method === undefined) {
      if (token === "TRACE") return "method-trace";
      if (token === "CONNECT") return "method-connect";
      return token === "PRI" ? "h2-preface" : "method";
    }
    this.method = method;
    return undefined;
  }

  #readTarget(target: string): RequestFault | undefined {
    if (target.charCodeAt(0) === 0x2f /* slash */) {
      this.target = target;
      return undefined;
    }
    if (target === "*" && this.method === "OPTIONS") {
      this.target = target;
      return undefined;
    }
    const scheme = target.slice(0, 8).toLowerCase();
    const start = scheme.startsWith("http://") ? 7 : scheme === "https://" ? 8 : 0;
    if (start === 0) return "target-form";
    let end = start;
    while (end < target.length && target[end] !== "/" && target[end] !== "?") end++;
    this.authority = target.slice(start, end);
    if (!isAuthority(this.authority)) return "target-authority";
    const rest = target.slice(end);
    if (rest === "") this.target = this.method === "OPTIONS" ? "*" : "/";
    else this.target = rest.startsWith("?") ? `/${rest}` : rest;
    return undefined;
  }

  /** Checks the octet at `position` of `HTTP/1.x CR LF`. */
  #versionFault(octet: number, position: number): RequestFault | undefined {
    if (position < 5) return octet === httpVersion[position] ? undefined : "version-malformed";
    switch (position) {
      case 5:
        if (octet === 0x31) return undefined;
        return isDigit(octet) ? "version-unsupported" : "version-malformed";
      case 6:
        return octet === 0x2e /* . */ ? undefined : "version-malformed";
      case 7:
        if (!isDigit(octet)) return "version-malformed";
        if (octet > 0x31) return "version-unsupported";
        this.minorVersion = octet === 0x30 ? 0 : 1;
        return undefined;
      case 8:
        if (octet === CR) return undefined;
        return octet === LF ? "bare-lf" : "version-malformed";
      default:
        return octet === LF ? undefined : "bare-cr";
    }
  }
}

function isMethodOctet(octet: number): boolean {
  return (octet >= 0x41 && octet <= 0x5a) || octet === hyphen;
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

function targetFault(octet: number): RequestFault {
  if (octet === 0x23 /* # */) return "target-fragment";
  return octet === CR || octet === LF ? "version-missing" : "target";
}
