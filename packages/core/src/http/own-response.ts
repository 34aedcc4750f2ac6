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

/** The bytes of such an answer. */
export function ownResponse(
  { status, fields, body }: OwnAnswer,
  { keepAlive, head, extra }: OwnResponseOptions,
): Buffer {
  const bytes = Buffer.from(body);
  const lines =
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${dateLine()}${headerLines(fields)}${extra}` +
    `Content-Length: ${bytes.length}\r\n${keepAlive ? "" : "Connection: close\r\n"}\r\n`;
  return head ? Buffer.from(lines) : Buffer.concat([Buffer.from(lines), bytes]);
}
