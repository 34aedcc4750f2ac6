import { dateLine } from "./date-line.ts";
import { reasonPhrase } from "./error-response.ts";
import { headerLines } from "./header-lines.ts";

/** An answer of our own that has something to say. */
export interface OwnAnswer {
  readonly status: number;
  /** Name, value, name, value …; without Date, Content-Length and Connection, which are the connection's. */
  readonly fields: readonly string[];
  readonly body: string;
}

export interface OwnResponseOptions {
  /** The connection stays open; else the answer carries `Connection: close`. */
  readonly keepAlive: boolean;
  /** The request was HEAD: no body. */
  readonly head: boolean;
  /** Complete header lines to add, or `""`. */
  readonly extra: string;
}

/** Its lines, without what is HTTP/1.1's alone, and its body. */
export function ownParts(
  { fields, body }: OwnAnswer,
  { head, extra }: Omit<OwnResponseOptions, "keepAlive">,
): { readonly lines: string; readonly body: Buffer } {
  const bytes = Buffer.from(body);
  const lines = `${dateLine()}${headerLines(fields)}${extra}Content-Length: ${bytes.length}\r\n`;
  return { lines, body: head ? noBytes : bytes };
}

/** The bytes of such an answer. */
export function ownResponse(answer: OwnAnswer, options: OwnResponseOptions): Buffer {
  const { lines, body } = ownParts(answer, options);
  const { status } = answer;
  const connection = options.keepAlive ? "" : "Connection: close\r\n";
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}${connection}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const noBytes = Buffer.alloc(0);
