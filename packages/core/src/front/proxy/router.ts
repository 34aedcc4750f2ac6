import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { pathOf } from "../../routing/path-pattern.ts";
import { plainPath } from "../../routing/plain-path.ts";
import type { RouteRule } from "../../routing/route-rule.ts";
import { RouteTable } from "../../routing/route-table.ts";
import type { Held, RequestLimit } from "../request-limit.ts";
import { type Responder, type Response, respondedBy } from "../responder.ts";
import type { PreparedAnswer } from "./prepared-answer.ts";
import type { Way } from "./way.ts";

/** Where a request goes, or what it is answered. */
export type Destination = (request: RequestHead) => Found;

export type Found = Way | Response | PreparedAnswer;

export interface Route {
  /** As it is told of. */
  readonly name: string;
  readonly rule: RouteRule;
  /** How many may take it; asked first, so that it bounds the guesses at a password. Undefined: all. */
  readonly limit: RequestLimit | undefined;
  /** It is this route's own. */
  readonly limitsItself: boolean;
  /** Who may keep a request from its destination, in the order in which they are asked. */
  readonly guards: readonly Responder[];
  readonly destination: Destination;
}

export interface RouterOptions {
  readonly routes: readonly Route[];
  /** For requests that take none of them. */
  readonly otherwise: Way | Response;
  /** How many those may be. */
  readonly limit: RequestLimit | undefined;
  /** The most that any of them takes: what is longer is refused before it is known where it goes. */
  readonly maxBodyBytes: number;
}

const badRequest: Response = { kind: "refusal", status: 400 };
const tooLong: Response = { kind: "refusal", status: 413 };

/** Finds out where each request goes: along the first route that it fits. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #otherwise: Way | Response;
  readonly #limit: RequestLimit | undefined;
  readonly #table: RouteTable;
  /** Some route keeps requests out. */
  readonly #guarded: boolean;
  readonly maxBodyBytes: number;

  constructor({ routes, otherwise, limit, maxBodyBytes }: RouterOptions) {
    this.maxBodyBytes = maxBodyBytes;
    this.#routes = routes;
    this.#otherwise = otherwise;
    this.#limit = limit;
    this.#table = new RouteTable(routes.map(({ rule }) => rule));
    this.#guarded = routes.some(isGuarded);
  }

  route(request: RequestHead, facts: ForwardingFacts): Found | Held<Found> {
    const number = this.#table.find(request);
    if (this.#guarded && this.#slipsPast(request, number)) return badRequest;
    const route = number === undefined ? undefined : this.#routes[number]!;
    if (route !== undefined) request.route = route.name;
    const limit = route === undefined ? this.#limit : route.limit;
    if (limit === undefined) return this.#along(route, request, facts);
    return limit.pass<Found>(request, () => this.#along(route, request, facts));
  }

  #along(route: Route | undefined, request: RequestHead, facts: ForwardingFacts): Found {
    if (route === undefined) return within(this.#otherwise, request);
    const { guards, destination } = route;
    if (guards.length > 0) {
      const refused = respondedBy(guards, request, facts);
      if (refused !== undefined) return refused;
    }
    return within(destination(request), request);
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
    return meant !== undefined && meant !== taken && isGuarded(this.#routes[meant]!);
  }
}

function isGuarded({ guards, limitsItself }: Route): boolean {
  return guards.length > 0 || limitsItself;
}

/** A head was found within the highest of the limits that ways have. */
function within(found: Found, { framing }: RequestHead): Found {
  if (found.kind !== "way") return found;
  return framing.kind === "length" && framing.bytes > found.limits.maxBodyBytes ? tooLong : found;
}
