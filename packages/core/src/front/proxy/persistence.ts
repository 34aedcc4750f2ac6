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

/** How responses go to one client; one object, filled in anew for each, since nobody keeps it. */
export class ResponseOptions implements DownstreamOptions {
  clientMinorVersion: 0 | 1 = 1;
  keepAlive = true;
  extra = "";
  readonly dropped: readonly string[] | undefined;
  readonly #rules: ResponseRules | undefined;
  readonly #facts: ForwardingFacts;

  constructor(rules: ResponseRules | undefined, facts: ForwardingFacts) {
    this.dropped = rules?.dropped;
    this.#rules = rules;
    this.#facts = facts;
  }

  /** `ours`: complete lines that are added for who has answered. */
  fill(request: RequestHead, response: ResponseHead, keepAlive: boolean, ours: string): this {
    this.clientMinorVersion = request.minorVersion;
    this.keepAlive = keepAlive;
    this.extra = ours + missingDate(response);
    if (this.#rules !== undefined) this.extra += this.#rules.linesFor(response, request, this.#facts);
    return this;
  }
}
