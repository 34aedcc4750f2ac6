import type { ServerResponse } from "node:http";
import { endsHere, nominatedBy } from "@lb/core/kit";
import type { UpstreamAnswer } from "./attempt.ts";
import { isGone, isHttp2 } from "./client-message.ts";
import { pairsOf } from "./response-head.ts";

/**
 * Sends an interim response on, of the two that Node can send: 102, and 103 with its links. Others are dropped, as what Node does
 * not take for a link is: they are hints, and no part of the answer (RFC 9110 §15.2, RFC 8297).
 */
export function passOnInterim(response: ServerResponse, { status, fields, headers }: UpstreamAnswer): void {
  // One of HTTP/1.0 would take it for the answer.
  if (response.headersSent || isGone(response) || response.req.httpVersion === "1.0") return;
  // Node has no word for it in HTTP/2.
  if (status === 102 && !isHttp2(response.req)) response.writeProcessing();
  if (status !== 103 || headers["link"] === undefined) return;
  const nominated = nominatedBy(headers.connection);
  const hints: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairsOf(fields)) {
    const lower = name.toLowerCase();
    if (endsHere(lower) || nominated?.includes(lower) === true) continue;
    const values = lower === "link" ? linksIn(value) : [value];
    hints[lower] = [...(hints[lower] ?? []), ...values];
  }
  try {
    response.writeEarlyHints(hints);
  } catch {
    // No link that Node knows.
  }
}

/** Node takes one link a text, a line of the field may hold several (RFC 8288 §3). */
function linksIn(value: string): string[] {
  return (value.match(/<[^>]*>(?:[^",]|"[^"]*")*/g) ?? []).map((link) => link.trim());
}
