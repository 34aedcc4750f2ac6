import { dateLine } from "../../http/date-line.ts";
import { reasonPhrase } from "../../http/error-response.ts";
import { headerLines } from "../../http/header-lines.ts";
import type { ResponseRules } from "../../http/response-rules.ts";
import type { Endpoint } from "../../model/endpoint.ts";

/** An answer whose body is in memory, and which many requests get. */
export interface PreparedParts {
  readonly status: number;
  /** Name, value, name, value …; without Date, Content-Length and Connection. */
  readonly fields: readonly string[];
  /** Of the body for a GET. Undefined: no length is told. */
  readonly length: number | undefined;
  /** Undefined: there is none. Nobody may write to it. */
  readonly body: Buffer | undefined;
}

/** How one request has to get it. */
export interface PreparedWay {
  readonly minorVersion: 0 | 1;
  readonly keepAlive: boolean;
  readonly encrypted: boolean;
  /** Complete lines of this one's own, or `""`. */
  readonly own: string;
}

/** A body up to here is kept once more behind its head, so that all of it is one buffer and leaves in one write. */
const maxJoinedBytes = 16_384;

/** An answer that is put together once a second, for the Date in it, however many requests get it. */
export class PreparedAnswer {
  readonly kind = "prepared";
  readonly status: number;
  readonly body: Buffer | undefined;
  /** On whose behalf: what is told of it is told as of a response of this one. */
  readonly endpoint: Endpoint;
  readonly #parts: PreparedParts;
  readonly #rules: ResponseRules | undefined;
  /** With and without TLS. */
  readonly #lines: [string | undefined, string | undefined] = [undefined, undefined];
  #date = "";
  /** By {@link PreparedWay}, of this second. */
  #made: (readonly Buffer[] | undefined)[] = [];

  constructor(parts: PreparedParts, endpoint: Endpoint, rules: ResponseRules | undefined) {
    this.status = parts.status;
    this.body = parts.body;
    this.endpoint = endpoint;
    this.#parts = parts;
    this.#rules = rules;
  }

  /** All of its bytes in HTTP/1.1, in one piece or two. */
  http1(way: PreparedWay): readonly Buffer[] {
    if (way.own !== "") return this.#http1(way);
    const { minorVersion, keepAlive, encrypted } = way;
    const date = dateLine();
    if (date !== this.#date) {
      this.#date = date;
      this.#made = [];
    }
    const index = (keepAlive ? 4 : 0) + (encrypted ? 2 : 0) + minorVersion;
    this.#made[index] ??= this.#http1(way);
    return this.#made[index];
  }

  #http1({ minorVersion, keepAlive, encrypted, own }: PreparedWay): readonly Buffer[] {
    const connection = keepAlive ? (minorVersion === 0 ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
    const { status, body } = this;
    const lines = `${this.lines(encrypted)}${own}${connection}`;
    const head = Buffer.from(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}\r\n`, "latin1");
    if (body === undefined) return [head];
    return body.length <= maxJoinedBytes ? [Buffer.concat([head, body])] : [head, body];
  }

  /** Those of any protocol. */
  lines(encrypted: boolean): string {
    const index = encrypted ? 1 : 0;
    this.#lines[index] ??= this.#ruledLines(encrypted);
    return dateLine() + this.#lines[index];
  }

  #ruledLines(encrypted: boolean): string {
    const { fields, length } = this.#parts;
    const dropped = this.#rules?.dropped ?? [];
    const names = new Set(fields.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
    const kept = fields.filter((_, index) => !dropped.includes(fields[index & ~1]!.toLowerCase()));
    const added = this.#rules?.fieldsFor((name) => names.has(name), encrypted) ?? [];
    return `${headerLines([...kept, ...added])}${length === undefined ? "" : `Content-Length: ${length}\r\n`}`;
  }
}
