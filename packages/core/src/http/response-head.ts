import type { HttpLimits } from "../options/limit-options.ts";
import type { BodyFraming } from "./body-framing.ts";
import { FieldScanner } from "./field-scanner.ts";
import { FieldSection } from "./field-section.ts";
import { CR, LF, latin1 } from "./octets.ts";
import { type BadResponse, badResponses, type ResponseFault } from "./rejection.ts";
import { interpretResponseFields, type ResponseFields, responseFraming } from "./response-fields.ts";
import { StatusLineScanner } from "./status-line.ts";

/** What the rules of a front add to a head. */
interface RuledHead {
  /** The rules. */
  readonly by: object;
  readonly encrypted: boolean;
  readonly lines: string;
}

interface RelayedHead {
  readonly dropped: readonly string[] | undefined;
  readonly minorVersion: 0 | 1;
  readonly keepAlive: boolean;
  readonly extra: string;
  readonly text: string;
}

interface RelayedOver2 {
  readonly dropped: readonly string[] | undefined;
  readonly extra: string;
  readonly block: Buffer;
}

/** A response head that was found valid. It never changes, and responses with the same bytes may share one. */
export class ResponseHead {
  /** 100 to 599. */
  readonly status: number;
  readonly minorVersion: 0 | 1;
  readonly reason: string;
  readonly fields: ResponseFields;
  /** Where the body ends, given the method that the response answers. */
  readonly framing: BodyFraming;
  /** The protocol of a 101, in lower case. The front compares it with the one it asked for. */
  readonly upgrade: string | undefined;
  /** Bytes to the end of the blank line. */
  readonly byteLength: number;
  /** What the last client got of this head: `downstream.ts` keeps it here, with what it was made for. */
  relayed: RelayedHead | undefined = undefined;
  /** What `response-rules.ts` last added to it, with what that was made for. */
  ruled: RuledHead | undefined = undefined;
  /** The same over HTTP/2; `http2/response-block.ts` keeps it here. */
  relayedOver2: RelayedOver2 | undefined = undefined;
  /** Whether an HTTP/1.1 client gets the lines unchanged; undefined until `downstream.ts` wanted to know. */
  unchangedFor11: { readonly dropped: readonly string[] | undefined; readonly is: boolean } | undefined = undefined;

  /** Whether it names places of its sender's; undefined until `placed-fields.ts` wanted to know. */
  namesPlaces: boolean | undefined = undefined;

  constructor(line: StatusLineScanner, fields: ResponseFields, byteLength: number, toHead: boolean) {
    this.status = line.status;
    this.minorVersion = line.minorVersion;
    this.reason = line.reason;
    this.fields = fields;
    this.framing = responseFraming(fields, line.status, toHead);
    this.upgrade = line.status === 101 && fields.connection.upgrade ? fields.upgrade : undefined;
    this.byteLength = byteLength;
  }

  /** Name, value, name, value …; names as received, values without white space around them. */
  get headers(): readonly string[] {
    return this.fields.section.list;
  }

  /** Another head follows: a 1xx other than 101. */
  get interim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  /** The connection may carry another exchange once this one is complete. */
  get persistent(): boolean {
    const { close, keepAlive } = this.fields.connection;
    if (close || this.status === 101 || this.framing.kind === "close") return false;
    return this.minorVersion === 1 || keepAlive;
  }

  header(lowerName: string): string | undefined {
    return this.fields.section.get(lowerName);
  }
}

/**
 * Reads the response heads of one upstream connection, in any number of pieces, each octet once. The last head is kept:
 * if the same bytes come again, as they do for a second from a server that sends Date, so does the same object.
 */
export class ResponseHeadParser {
  readonly #maxHeadBytes: number;
  readonly #line = new StatusLineScanner();
  readonly #scanner: FieldScanner;
  /** The status line of the head being read is complete. */
  #inFields = false;
  #memo: ResponseHead | undefined;
  /** The bytes of `#memo` without its blank line, latin1; whether it answered a HEAD request. */
  #memoText = "";
  #memoToHead = false;

  constructor(limits: HttpLimits) {
    this.#maxHeadBytes = limits.maxHeadBytes;
    this.#scanner = new FieldScanner(limits.maxHeaders);
  }

  /**
   * Undefined: the head is not complete in `buffer[start, end)` yet; call again with more behind the same bytes (they
   * may have moved). Anything else ends the head: the next call starts a new one. `requestMethod` is that of the
   * request being answered: a response to HEAD has no body.
   */
  parse(buffer: Buffer, start: number, end: number, requestMethod: string): ResponseHead | BadResponse | undefined {
    const limit = Math.min(end, start + this.#maxHeadBytes);
    const result = this.#read(buffer, start, limit, requestMethod === "HEAD");
    if (result === "incomplete" && limit - start < this.#maxHeadBytes) return undefined;
    this.reset();
    if (result === "incomplete") return badResponses["head-too-large"];
    return typeof result === "string" ? badResponses[result] : result;
  }

  /** Forgets a head read in part; the last complete one stays remembered. */
  reset(): void {
    this.#line.reset();
    this.#inFields = false;
  }

  #read(buffer: Buffer, start: number, end: number, toHead: boolean): ResponseHead | ResponseFault | "incomplete" {
    const line = this.#line;
    if (!this.#inFields) {
      if (line.checked === 0 && this.#repeats(buffer, start, end, toHead)) return this.#memo!;
      const result = line.scan(buffer, start, end);
      if (result !== "complete") return result;
      this.#inFields = true;
      this.#scanner.reset();
    }
    const origin = start + line.checked;
    const result = this.#scanner.scan(buffer, origin, end);
    if (result !== "complete") return result;
    const blank = origin + this.#scanner.checked - 2;
    const text = latin1(buffer, start, blank);
    const fields = interpretResponseFields(new FieldSection(text.substring(line.checked), this.#scanner.lines));
    if (typeof fields === "string") return fields;
    if (fields.chunked && line.minorVersion === 0) return "transfer-encoding-1.0";
    const interim = line.status < 200 && line.status !== 101;
    if (interim && (line.minorVersion === 0 || fields.connection.close)) return "interim-last";
    this.#memo = new ResponseHead(line, fields, blank + 2 - start, toHead);
    this.#memoText = text;
    this.#memoToHead = toHead;
    return this.#memo;
  }

  /** Whether the bytes of the last head, blank line included, stand at `start`. */
  #repeats(buffer: Buffer, start: number, end: number, toHead: boolean): boolean {
    const blank = start + this.#memoText.length;
    if (this.#memo === undefined || this.#memoToHead !== toHead || blank + 2 > end) return false;
    // Heads that differ seldom have their blank line in the same place: most misses cost no slice.
    if (buffer[blank] !== CR || buffer[blank + 1] !== LF || buffer[blank - 1] !== LF) return false;
    return latin1(buffer, start, blank) === this.#memoText;
  }
}
