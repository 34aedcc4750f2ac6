import { type DownstreamOptions, missingDate } from "../../http/downstream.ts";
import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { ResponseHead } from "../../http/response-head.ts";
import type { ResponseRules } from "../../http/response-rules.ts";

/** Request-body bytes still taken in after the response is complete, so that the connection can be kept. */
export const maxLateBodyBytes = 262_144;

/** Whether the client's connection can serve another request after this response. */
export function keepsAlive(request: RequestHead, response: ResponseHead, requestComplete: boolean): boolean {
  if (!request.persistent || response.framing.kind === "close") return false;
  // A client of HTTP/1.0 knows no chunks; it gets the payload, and the end of the connection for its end.
  if (request.minorVersion === 0 && response.framing.kind === "chunked") return false;
  if (requestComplete) return true;
  // The rest of a body that nobody waits for is read to keep the connection, but not if it is known to be long.
  return request.framing.kind !== "length" || request.framing.bytes <= maxLateBodyBytes;
}

/** A response that is to go to a client. */
export interface ResponseFacts {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly keepAlive: boolean;
  /** Complete lines that are added for who has answered. */
  readonly ours: string;
}

/** How responses go to one client; one object, filled in anew for each, since nobody keeps it. */
export class ResponseOptions implements DownstreamOptions {
  clientMinorVersion: 0 | 1 = 1;
  keepAlive = true;
  extra = "";
  dropped: readonly string[] | undefined;
  readonly #facts: ForwardingFacts;

  constructor(facts: ForwardingFacts) {
    this.#facts = facts;
  }

  fill(rules: ResponseRules | undefined, { request, response, keepAlive, ours }: ResponseFacts): this {
    this.clientMinorVersion = request.minorVersion;
    this.keepAlive = keepAlive;
    this.extra = ours + missingDate(response);
    this.dropped = rules?.dropped;
    if (rules !== undefined) this.extra += rules.linesFor(response, request, this.#facts);
    return this;
  }
}
