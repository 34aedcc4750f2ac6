import { type DownstreamOptions, missingDate } from "../../http/downstream.ts";
import type { ForwardingFacts } from "../../http/forwarding.ts";
import { namesPlaces, placedFields } from "../../http/placed-fields.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { ResponseHead } from "../../http/response-head.ts";
import type { FrontSettings } from "../settings.ts";
import type { EndpointPlace } from "./pool.ts";
import { type RequestTimes, serverTimingLine } from "./server-timing.ts";
import type { PlaceRules, Way } from "./way.ts";

const nowhere: EndpointPlace = { basePath: "", authorities: [] };

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
  /** Of the one who has answered. */
  readonly place: EndpointPlace | undefined;
  /** What its request has taken so far. */
  readonly times: RequestTimes | undefined;
}

/** How responses go to one client; one object, filled in anew for each, since nobody keeps it. */
export class ResponseOptions implements DownstreamOptions {
  clientMinorVersion: 0 | 1 = 1;
  keepAlive = true;
  extra = "";
  dropped: readonly string[] | undefined;
  readonly #facts: ForwardingFacts;
  readonly #timed: boolean;

  constructor(facts: ForwardingFacts, { serverTiming }: Pick<FrontSettings, "serverTiming">) {
    this.#facts = facts;
    this.#timed = serverTiming;
  }

  fill({ responseRules: rules, places }: Pick<Way, "responseRules" | "places">, facts: ResponseFacts): this {
    const { request, response, keepAlive, ours } = facts;
    this.clientMinorVersion = request.minorVersion;
    this.keepAlive = keepAlive;
    this.extra = ours + missingDate(response);
    if (this.#timed) this.extra += serverTimingLine(facts.times);
    this.dropped = rules?.dropped;
    if (rules !== undefined) this.extra += rules.linesFor(response, request, this.#facts);
    if (places !== undefined && namesPlaces(response)) this.#move(places, facts);
    return this;
  }

  /** What rules say of a field counts. */
  #move(places: PlaceRules, { request, response, place = nowhere }: ResponseFacts): void {
    const { basePath, authorities } = place;
    const { backendPath, clientPath } = places.paths(request.target);
    const placed = placedFields(
      response,
      places,
      {
        backendAuthorities: authorities,
        clientAuthority: request.host,
        backendPath: basePath + backendPath,
        clientPath,
      },
      this.dropped,
    );
    if (placed === undefined) return;
    this.dropped = [...(this.dropped ?? []), ...placed.names];
    this.extra += placed.lines;
  }
}
