import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { pathOf } from "../../routing/path-pattern.ts";
import { plainPath } from "../../routing/plain-path.ts";
import type { RouteRule } from "../../routing/route-rule.ts";
import { RouteTable } from "../../routing/route-table.ts";
import { type Responder, type Response, respondedBy } from "../responder.ts";
import type { Way } from "./way.ts";

/** Where a request goes, or what it is answered. */
export type Destination = (request: RequestHead) => Way | Response;

export interface Route {
  readonly rule: RouteRule;
  /** Who may keep a request from its destination, in the order in which they are asked. */
  readonly guards: readonly Responder[];
  readonly destination: Destination;
}

export interface RouterOptions {
  readonly routes: readonly Route[];
  /** For requests that take none of them. */
  readonly otherwise: Way;
  /** The most that any of them takes: what is longer is refused before it is known where it goes. */
  readonly maxBodyBytes: number;
}

const badRequest: Response = { kind: "refusal", status: 400 };
const tooLong: Response = { kind: "refusal", status: 413 };

/** Finds out where each request goes: along the first route that it fits. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #otherwise: Way;
  readonly #table: RouteTable;
  /** Some route has guards. */
  readonly #guarded: boolean;
  readonly maxBodyBytes: number;

  constructor({ routes, otherwise, maxBodyBytes }: RouterOptions) {
    this.maxBodyBytes = maxBodyBytes;
    this.#routes = routes;
    this.#otherwise = otherwise;
    this.#table = new RouteTable(routes.map(({ rule }) => rule));
    this.#guarded = routes.some(({ guards }) => guards.length > 0);
  }

  route(request: RequestHead, facts: ForwardingFacts): Way | Response {
    const number = this.#table.find(request);
    if (this.#guarded && this.#slipsPast(request, number)) return badRequest;
    if (number === undefined) return within(this.#otherwise, request);
    const { guards, destination } = this.#routes[number]!;
    if (guards.length > 0) {
      const refused = respondedBy(guards, request, facts);
      if (refused !== undefined) return refused;
    }
    const found = destination(request);
    return found.kind === "way" ? within(found, request) : found;
  }

  /**
   * Its path could mean another one to a program that decodes it or does away with `..` in it, and that one is guarded by a
   * route that this one does not take.
   */
  #slipsPast(request: RequestHead, taken: number | undefined): boolean {
    const { target } = request;
    const path = pathOf(target);
    const plain = plainPath(path);
    if (plain === path) return false;
    const meant = this.#table.find({
      method: request.method,
      target: plain,
      hostName: request.hostName,
      header: (name) => request.header(name),
    });
    return meant !== undefined && meant !== taken && this.#routes[meant]!.guards.length > 0;
  }
}

/** A head was found within the highest of the limits that ways have. */
function within(way: Way, { framing }: RequestHead): Way | Response {
  return framing.kind === "length" && framing.bytes > way.limits.maxBodyBytes ? tooLong : way;
}
