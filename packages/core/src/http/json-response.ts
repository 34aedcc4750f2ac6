import { dateLine } from "./date-line.ts";
import { reasonPhrase } from "./error-response.ts";

export interface JsonResponseOptions {
  readonly status: number;
  readonly body: string;
  /** The connection stays open; else the answer carries `Connection: close`. */
  readonly keepAlive: boolean;
  /** The request was HEAD: no body. */
  readonly head: boolean;
}

/** The bytes of an answer of our own that has something to say, and is not to be kept by anybody. */
export function jsonResponse({ status, body, keepAlive, head }: JsonResponseOptions): Buffer {
  const bytes = Buffer.from(body);
  const lines =
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${dateLine()}` +
    `Content-Type: application/json\r\nContent-Length: ${bytes.length}\r\nCache-Control: no-store\r\n` +
    `${keepAlive ? "" : "Connection: close\r\n"}\r\n`;
  return head ? Buffer.from(lines) : Buffer.concat([Buffer.from(lines), bytes]);
}
