import type { RequestView } from "../model/request-view.ts";
import type { HttpLimits } from "../options/limit-options.ts";
import type { BodyFraming } from "./body-framing.ts";
import { FieldScanner } from "./field-scanner.ts";
import { FieldSection } from "./field-section.ts";
import { hostIn } from "./host-list.ts";
import { LF, latin1 } from "./octets.ts";
import { type Rejection, type RequestFault, rejections } from "./rejection.ts";
import { interpretRequestFields, RequestFields } from "./request-fields.ts";
import { RequestLineScanner } from "./request-line.ts";
import type { SampledTrace } from "./trace-contexts.ts";
import { idsIn } from "./trace-parent.ts";

/** A request head that was found valid: whatever made it past {@link RequestHeadParser} can be relayed. */
export class RequestHead implements RequestView {
  /** A method Node's parser knows, other than TRACE and CONNECT. */
  readonly method: string;
  /** As it goes upstream: origin-form, byte for byte, or `*`. Absolute-form is reduced to it. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  /** The authority of an absolute-form target, which then overrides Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
  /** What the header lines mean; shared by successive requests with the same header lines. */
  readonly fields: RequestFields;
  /** Bytes from where parsing began to the end of the blank line; empty lines before the request are among them. */
  readonly byteLength: number;
  /** The client's address as the balancer should see it; the front sets it with {@link clientAddressOf}. */
  clientAddress = "";
  /** By which it is found again; `""`: it has none. The front sets it. */
  id = "";
  /** The `traceparent` that goes on, a complete line; `""`: what its client says. The front sets both. */
  traceLine = "";
  /** Spans are made of it. */
  sampled: SampledTrace | undefined = undefined;
  /** The name of the route that it took, as the front knows; `""`: none. */
  route = "";
  /** Complete lines that its response gets, as whoever let it pass has it. */
  responseLines = "";

  constructor(line: RequestLineScanner, fields: RequestFields, byteLength: number) {
    this.method = line.method;
    this.target = line.target;
    this.minorVersion = line.minorVersion;
    this.authority = line.authority;
    this.fields = fields;
    this.byteLength = byteLength;
  }

  /** Of its trace and of its span there; undefined: nothing is traced. */
  get traceIds(): { readonly traceId: string | undefined; readonly spanId: string | undefined } {
    return idsIn(this.traceLine, "traceparent: ".length);
  }

  /** The effective host, with its port if one was given; `""` if an HTTP/1.0 request names none. */
  get host(): string {
    return this.authority ?? this.fields.host ?? "";
  }

  /** The effective host as it is compared: in lower case, without its port and without the full stop of the root. */
  get hostName(): string {
    const name = hostIn(this.host);
    return name.endsWith(".") ? name.slice(0, -1) : name;
  }

  /** Name, value, name, value …; names as received, values without white space around them. */
  get headers(): readonly string[] {
    return this.fields.section.list;
  }

  get framing(): BodyFraming {
    return this.fields.framing;
  }

  /** The client wants its connection kept after this exchange. */
  get persistent(): boolean {
    const { close, keepAlive } = this.fields.connection;
    return !close && (this.minorVersion === 1 || keepAlive);
  }

  /** The client waits for 100 (Continue) before it sends its body. */
  get expectsContinue(): boolean {
    return this.minorVersion === 1 && this.fields.expectsContinue;
  }

  /**
   * The protocol of a valid request for an upgrade, in lower case; see {@link RequestFields.upgrade}. No byte may
   * follow such a head until it is answered (BAD-INPUTS 61): the front answers 400 if one does, here or in a later read.
   */
  get upgrade(): string | undefined {
    return this.fields.upgrade;
  }

  header(lowerName: string): string | undefined {
    return this.fields.section.get(lowerName);
  }
}

/**
 * Reads the request heads of one client connection. A head may arrive in any number of pieces: each octet is looked at
 * once, and what is wrong is reported as soon as its first wrong octet is there.
 *
 * Browsers and load generators repeat their header lines from one request to the next, so the lines of the last
 * request are kept: if the same bytes follow the next request line, nothing of them is parsed again.
 */
export class RequestHeadParser {
  readonly #maxHeadBytes: number;
  readonly #maxBodyBytes: number;
  readonly #line: RequestLineScanner;
  readonly #scanner: FieldScanner;
  /** The request line of the head being read is complete. */
  #inFields = false;
  #memo: RequestFields | undefined;

  constructor(limits: HttpLimits) {
    this.#maxHeadBytes = limits.maxHeadBytes;
    this.#maxBodyBytes = limits.maxBodyBytes;
    this.#line = new RequestLineScanner(limits.maxTargetBytes);
    this.#scanner = new FieldScanner(limits.maxHeaders);
  }

  /**
   * Undefined: the head is not complete in `buffer[start, end)` yet; call again with more behind the same bytes (they
   * may have moved). A head or a rejection ends the head: the next call starts a new one.
   */
  parse(buffer: Buffer, start: number, end: number): RequestHead | Rejection | undefined {
    const limit = Math.min(end, start + this.#maxHeadBytes);
    const result = this.#read(buffer, start, limit);
    if (result === "incomplete") {
      if (limit - start < this.#maxHeadBytes) return undefined;
      const fault = this.#line.inTarget ? "target-too-large" : "head-too-large";
      this.reset();
      return rejections[fault];
    }
    this.reset();
    return typeof result === "string" ? rejections[result] : result;
  }

  /** Forgets a head read in part; what is remembered of complete ones stays. */
  reset(): void {
    this.#line.reset();
    this.#inFields = false;
  }

  #read(buffer: Buffer, start: number, end: number): RequestHead | RequestFault | "incomplete" {
    const line = this.#line;
    if (!this.#inFields) {
      const result = line.scan(buffer, start, end);
      if (result !== "complete") return result;
      const known = this.#sameFields(buffer, start + line.checked, end);
      if (known !== undefined) return this.#headOf(known, line.checked + known.section.text.length + 2);
      this.#inFields = true;
      this.#scanner.reset();
    }
    const origin = start + line.checked;
    const result = this.#scanner.scan(buffer, origin, end);
    if (result !== "complete") return result;
    const length = this.#scanner.checked;
    const text = latin1(buffer, origin, origin + length - 2);
    const fields = interpretRequestFields(new FieldSection(text, this.#scanner.lines));
    if (!(fields instanceof RequestFields)) return fields;
    this.#memo = fields;
    return this.#headOf(fields, line.checked + length);
  }

  /** The remembered fields, if their very bytes and a blank line stand at `at`. */
  #sameFields(buffer: Buffer, at: number, end: number): RequestFields | undefined {
    const memo = this.#memo;
    if (memo === undefined) return undefined;
    const { text } = memo.section;
    const blank = at + text.length;
    // Header lines that differ seldom have their blank line in the same place: most misses cost no slice.
    if (blank + 2 > end || buffer[blank + 1] !== LF || buffer[blank - 1] !== LF) return undefined;
    return buffer[blank] === 0x0d && latin1(buffer, at, blank) === text ? memo : undefined;
  }

  /** Joins the request line with the fields; what is left to check needs both, or a limit. */
  #headOf(fields: RequestFields, byteLength: number): RequestHead | RequestFault {
    const line = this.#line;
    if (line.minorVersion === 0) {
      if (fields.framing.kind === "chunked") return "transfer-encoding-1.0";
      if (fields.upgrade !== undefined) return "upgrade-1.0";
    } else if (fields.host === undefined) {
      return "host-missing";
    }
    if (fields.contentLength > this.#maxBodyBytes) return "body-too-large";
    return new RequestHead(line, fields, byteLength);
  }
}
