import type { ServerResponse } from "node:http";
import type { ResponseHead } from "../../http/response-head.ts";

/** What Node writes its own 1xx with: on the wire at once, or in its place behind the responses before it. */
interface Raw {
  _writeRaw?(bytes: string, encoding: "latin1"): boolean;
}

/**
 * Passes on a 1xx as it came. Node's own methods write but some of them, and not every value. A Node that lets nobody
 * write them so leaves the client without, which no client may mind (RFC 9110 §15.2).
 */
export function writeInterim(response: ServerResponse, { status, reason, fields }: ResponseHead): void {
  if (response.headersSent) return;
  (response as ServerResponse & Raw)._writeRaw?.(
    `HTTP/1.1 ${status} ${reason}\r\n${fields.section.text}\r\n`,
    "latin1",
  );
}
