import * as v from "valibot";
import type { Address, Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import { options, parseOptions, positiveNumber } from "../options/validation.ts";

/** An endpoint that is known by its URL. */
export interface UrlEndpoint extends Endpoint {
  /**
   * An origin such as `"http://10.0.0.1:3000"`, perhaps with a path in which the endpoint's begin, or `"unix:"` and the path
   * of a socket. Also its `id`.
   */
  readonly url: string;
  /** The path in which those of the endpoint begin: `""`, or one without a slash at its end. */
  readonly basePath: string;
}

export interface UrlEndpointOptions {
  readonly url: string | URL;
  /** Share of the traffic relative to the others; default 1. */
  readonly weight?: number;
}

/** `"http://10.0.0.1:3000"`, `"https://backend.example/base"`, `"unix:/run/app.sock"`, or the same with a weight. */
export type UrlEndpointInput = string | URL | UrlEndpointOptions;

const withOptions = options({
  url: v.union([v.string(), v.instance(URL)], "give a URL"),
  weight: v.optional(positiveNumber(), 1),
});

/**
 * Turns lists of URLs into endpoints. A URL that stays keeps its endpoint and slot; a new one gets the lowest slot that
 * is free, so that one that replaces another takes its place.
 */
export class UrlEndpoints {
  #current: ReadonlyMap<string, UrlEndpoint> = new Map();
  /** How many endpoints each slot has had. */
  readonly #incarnations: number[] = [];

  find(url: string): UrlEndpoint | undefined {
    return this.#current.get(url);
  }

  /** @throws OptionError for the first entry that is no endpoint, or is listed twice; nothing changes then */
  replace(input: readonly UrlEndpointInput[]): readonly UrlEndpoint[] {
    if (!Array.isArray(input)) {
      throw new OptionError("endpoints", input, 'give a list of URLs, e.g. ["http://10.0.0.1:3000"]');
    }
    const wanted = new Map<string, Parsed>();
    for (const [index, entry] of input.entries()) {
      const parsed = parseEntry(entry, `endpoints[${index}]`);
      if (wanted.has(parsed.url)) throw new OptionError(`endpoints[${index}]`, parsed.url, "it is listed twice");
      wanted.set(parsed.url, parsed);
    }
    const taken = new Set<number>();
    for (const [url, { slot }] of this.#current) if (wanted.has(url)) taken.add(slot);
    let free = 0;
    const freeSlot = () => {
      while (taken.has(free)) free += 1;
      taken.add(free);
      return free;
    };
    const endpoints = [...wanted.values()].map((parsed) => {
      const known = this.#current.get(parsed.url);
      if (known?.weight === parsed.weight) return known;
      const slot = known?.slot ?? freeSlot();
      const incarnation = (this.#incarnations[slot] ?? 0) + 1;
      this.#incarnations[slot] = incarnation;
      return Object.freeze({ id: parsed.url, ...parsed, slot, incarnation });
    });
    this.#current = new Map(endpoints.map((endpoint) => [endpoint.url, endpoint]));
    return endpoints;
  }
}

interface Parsed {
  readonly url: string;
  readonly weight: number;
  readonly address: Address;
  readonly basePath: string;
}

function parseEntry(entry: UrlEndpointInput, option: string): Parsed {
  if (typeof entry === "string" || entry instanceof URL) return { ...parseUrl(entry, option), weight: 1 };
  const { url, weight } = parseOptions(withOptions, entry, option);
  return { ...parseUrl(url, `${option}.url`), weight };
}

function parseUrl(input: string | URL, option: string): Omit<Parsed, "weight"> {
  const text = String(input);
  const refuse = (remedy: string) => new OptionError(option, text, remedy);
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    if (!path.startsWith("/")) throw refuse('give the socket\'s absolute path, e.g. "unix:/run/app.sock"');
    return { url: text, address: { kind: "unix", path }, basePath: "" };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw refuse('give an origin such as "http://10.0.0.1:3000", or "unix:" and the path of a socket');
  }
  if (url.username !== "" || url.password !== "") throw refuse("leave user and password out; send them as a header");
  if (/[?#]/.test(text)) throw refuse("leave out the query and the fragment");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const basePath = url.pathname.replace(/\/+$/, "");
  return { url: url.origin + basePath, address: { kind: "tcp", host, port }, basePath };
}
