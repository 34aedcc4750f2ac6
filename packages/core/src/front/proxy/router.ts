import type { ForwardingFacts } from "../../http/forwarding.ts";
import { plainPath } from "../../http/plain-path.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { pathOf } from "../../routing/path-pattern.ts";
import type { RouteRule } from "../../routing/route-rule.ts";
import { RouteTable } from "../../routing/route-table.ts";
import { type Held, heldThen } from "../held.ts";
import type { RequestLimit } from "../request-limit.ts";
import { type Responder, type Response, respondedBy } from "../responder.ts";
import type { PreparedAnswer } from "./prepared-answer.ts";
import type { Way } from "./way.ts";

/** Where a request goes, or what it is answered. */
export type Found = Way | Response | PreparedAnswer;

/** The same, perhaps later. */
export type Passage = Found | Held<Found>;

/** `"next"`: it has nothing for this request, which goes on to the routes behind. */
export type Destination = (request: RequestHead) => Found | "next" | Held<Found | "next">;

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
  /** Public listeners, by number, whose requests take the routes of another one. Default: none. */
  readonly atListener?: ReadonlyMap<number, Router>;
}

/** The routes up to `number` have nothing for a request, which was counted by `limit`. */
interface Passed {
  readonly number: number;
  readonly limit: RequestLimit | undefined;
}

const nobody: Passed = { number: -1, limit: undefined };
const badRequest: Response = { kind: "refusal", status: 400, reason: "path-not-plain" };
const tooLong: Response = { kind: "refusal", status: 413, reason: "body-too-large" };

/** Finds out where each request goes: along the first route that it fits. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #otherwise: Way | Response;
  readonly #limit: RequestLimit | undefined;
  readonly #table: RouteTable;
  /** Some route keeps requests out. */
  readonly #guarded: boolean;
  /** Undefined: there are none. */
  readonly #atListener: ReadonlyMap<number, Router> | undefined;
  readonly maxBodyBytes: number;

  constructor({ routes, otherwise, limit, maxBodyBytes, atListener }: RouterOptions) {
    this.maxBodyBytes = maxBodyBytes;
    this.#atListener = atListener?.size === 0 ? undefined : atListener;
    this.#routes = routes;
    this.#otherwise = otherwise;
    this.#limit = limit;
    this.#table = new RouteTable(routes.map(({ rule }) => rule));
    this.#guarded = routes.some(isGuarded);
  }

  route(request: RequestHead, facts: ForwardingFacts): Passage {
    const other = this.#atListener?.get(facts.listener ?? 0);
    if (other !== undefined) return other.route(request, facts);
    return this.#routeBehind(nobody, request, facts);
  }

  #routeBehind(behind: Passed, request: RequestHead, facts: ForwardingFacts): Passage {
    const number = this.#table.find(request, behind.number);
    if (this.#guarded && this.#slipsPast(request, number, behind.number)) return badRequest;
    const route = number === undefined ? undefined : this.#routes[number]!;
    if (route !== undefined || behind !== nobody) request.route = route?.name ?? "";
    const limit = route === undefined ? this.#limit : route.limit;
    // Who was counted for a route that had nothing for it is counted once.
    if (limit === undefined || limit === behind.limit) return this.#along(number, limit, request, facts);
    const passage = limit.pass<Passage>(request, () => this.#along(number, limit, request, facts));
    return passage.kind === "held" ? heldThen<Passage, Found>(passage, (to) => to) : passage;
  }

  #along(
    number: number | undefined,
    limit: RequestLimit | undefined,
    request: RequestHead,
    facts: ForwardingFacts,
  ): Passage {
    if (number === undefined) return within(this.#otherwise, request);
    const { guards, destination } = this.#routes[number]!;
    if (guards.length > 0) {
      const refused = respondedBy(guards, request, facts);
      if (refused !== undefined) return refused;
    }
    const to = destination(request);
    const follow = (found: Found | "next") =>
      found === "next" ? this.#routeBehind({ number, limit }, request, facts) : within(found, request);
    return to !== "next" && to.kind === "held" ? heldThen(to, follow) : follow(to);
  }

  /**
   * Its path could mean another one to a program that decodes it or does away with `..` in it, and that one is guarded by a
   * route that this one does not take.
   */
  #slipsPast(request: RequestHead, taken: number | undefined, behind: number): boolean {
    const { target } = request;
    const path = pathOf(target);
    const plain = plainPath(path);
    if (plain === path) return false;
    const { method, hostName } = request;
    const meant = this.#table.find({ method, target: plain, hostName, header: (name) => request.header(name) }, behind);
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
