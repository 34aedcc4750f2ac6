import { EndpointSlots } from "../balancer/endpoint-slots.ts";
import type { Clock } from "../model/clock.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import type { Http1Reach, UpstreamTls } from "../model/http1-reach.ts";
import type { Random } from "../model/random.ts";
import type { EndpointsSettings } from "../options/backend-endpoint-options.ts";
import { ListedPlaces } from "./listed-places.ts";
import type { Names } from "./names.ts";
import type { LookupSettings } from "./place-watch.ts";
import type { Place } from "./places.ts";
import { ToldLists } from "./told-lists.ts";

/** An endpoint of a backend. */
export interface BackendEndpoint extends Endpoint {
  /** An origin, or `unix:` and a path; several may have the same, at one address each. */
  readonly url: string;
  readonly zone: string | undefined;
  readonly reach: Http1Reach;
}

/** How all endpoints of a backend are reached. */
export interface SharedReach extends Omit<Http1Reach, "address" | "basePath" | "tls"> {
  /** Of those that are reached by TLS. `servername`: in place of the host of each. */
  readonly tls?: Partial<UpstreamTls>;
}

/** What is worth an event. What lasts is told when it begins, now and then, and when it is over. */
export type SourceNotice =
  /** What a URL of the list means is not known, or the function tells no list; `endpoints`: so many were known before, and stay. */
  | { readonly kind: "lookup-failed"; readonly what: string; readonly error: Error; readonly endpoints: number }
  | { readonly kind: "lookup-recovered"; readonly what: string }
  /** So many were found; the first of them are used. */
  | { readonly kind: "too-many-endpoints"; readonly found: number; readonly used: number }
  /** It is a public listener of ours, and requests would go round in circles. */
  | { readonly kind: "own-listener"; readonly url: string; readonly address: Address };

export interface EndpointSourceOptions {
  readonly endpoints: EndpointsSettings;
  readonly reach: SharedReach;
  readonly names: Names;
  readonly lookup: LookupSettings;
  /** How often a function is called. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses that are none for an endpoint: our own public listeners. Default: there is none such. */
  readonly isOwn?: (address: Address) => boolean;
  /** There are these from now on; those that stay are the same objects. */
  readonly changed: (endpoints: readonly BackendEndpoint[]) => void;
  readonly notice: (notice: SourceNotice) => void;
}

/** What the function of the list is called in notices. */
const theFunction = "the function of its endpoints";

/** Of a backend; more are left out. */
const maxEndpoints = 256;
/** What lasts is told so often. */
const remindMs = 600_000;

/** The endpoints of one backend, from what users write to a list that changes while we look. */
export class EndpointSource {
  readonly #options: EndpointSourceOptions;
  readonly #listed: ListedPlaces;
  readonly #told: ToldLists | undefined;
  readonly #slots = new EndpointSlots<Omit<BackendEndpoint, "slot" | "incarnation">>(
    (known, wanted) => known.weight === wanted.weight && known.zone === wanted.zone,
  );
  /** When it was last told of what is wrong. */
  readonly #wrong = new Map<string, number>();
  #current: readonly BackendEndpoint[] = [];
  #begun = false;
  /** Each name was asked for and the function called, whatever came of it. */
  readonly settled: Promise<void>;
  #settle = () => {};

  /** Calls `changed` at once if all of the list is known. */
  constructor(options: EndpointSourceOptions) {
    const { endpoints, names, lookup, clock, random, everyMs } = options;
    this.#options = options;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#listed = new ListedPlaces({
      names,
      settings: lookup,
      clock,
      random,
      changed: () => this.#update(),
      failed: (url, error) => this.#failed(url, error),
      found: (url) => this.#recovered(url),
    });
    if (endpoints.kind === "list") {
      this.#begun = true;
      this.#listed.update(endpoints.entries);
      return;
    }
    this.#told = new ToldLists({
      settings: endpoints,
      everyMs,
      clock,
      told: (entries) => {
        this.#begun = true;
        this.#recovered(theFunction);
        this.#listed.update(entries);
      },
      failed: (error) => {
        this.#failed(theFunction, error);
        this.#begun = true;
        this.#update();
      },
    });
  }

  get endpoints(): readonly BackendEndpoint[] {
    return this.#current;
  }

  close(): void {
    this.#told?.close();
    this.#listed.close();
    this.#settle();
  }

  #update(): void {
    const places = this.#usable(this.#listed.places);
    // Where nothing is found any more, what there was may still be there.
    if (places.length > 0) {
      const { reach } = this.#options;
      const endpoints = this.#slots.replace(places.map((place) => endpointAt(place, reach)));
      const before = this.#current;
      if (endpoints.length !== before.length || endpoints.some((one, at) => one !== before[at])) {
        this.#current = endpoints;
        this.#options.changed(endpoints);
      }
    }
    if (this.#begun && this.#listed.areSettled) this.#settle();
  }

  /** Each once, and no more than may be. */
  #usable(places: readonly Place[]): readonly Place[] {
    const { isOwn, notice } = this.#options;
    const usable = new Map<string, Place>();
    for (const place of places) {
      const { id, url, address } = place;
      if (isOwn?.(address) === true) {
        if (this.#isDue(`own ${id}`)) notice({ kind: "own-listener", url, address });
      } else if (!usable.has(id)) usable.set(id, place);
    }
    if (usable.size > maxEndpoints && this.#isDue("too many")) {
      notice({ kind: "too-many-endpoints", found: usable.size, used: maxEndpoints });
    }
    return [...usable.values()].slice(0, maxEndpoints);
  }

  #failed(what: string, error: Error): void {
    if (!this.#isDue(what)) return;
    this.#options.notice({ kind: "lookup-failed", what, error, endpoints: this.#current.length });
  }

  #recovered(what: string): void {
    if (this.#wrong.delete(what)) this.#options.notice({ kind: "lookup-recovered", what });
  }

  /** It was not told of, or long ago. */
  #isDue(what: string): boolean {
    const now = this.#options.clock.now();
    const last = this.#wrong.get(what);
    if (last !== undefined && now - last < remindMs) return false;
    // Names that come and go must not fill it.
    if (this.#wrong.size >= 2 * maxEndpoints) this.#wrong.clear();
    this.#wrong.set(what, now);
    return true;
  }
}

function endpointAt(place: Place, shared: SharedReach): Omit<BackendEndpoint, "slot" | "incarnation"> {
  const { id, url, address, weight, zone, servername, basePath } = place;
  const { tls, ...rest } = shared;
  const secured = servername !== undefined && { tls: { verify: true, servername, ...tls } };
  const based = basePath !== "" && { basePath };
  return { id, url, address, weight, zone, reach: Object.freeze({ ...rest, address, ...based, ...secured }) };
}
