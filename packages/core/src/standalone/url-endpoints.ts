import * as v from "valibot";
import { EndpointSlots } from "../balancer/endpoint-slots.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { type EndpointUrl, readEndpointUrl } from "../model/endpoint-url.ts";
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

/** Turns lists of URLs into endpoints, each in its slot. */
export class UrlEndpoints {
  readonly #slots = new EndpointSlots<Omit<UrlEndpoint, "slot" | "incarnation">>(
    (known, wanted) => known.weight === wanted.weight,
  );

  find(url: string): UrlEndpoint | undefined {
    return this.#slots.find(url);
  }

  /** @throws OptionError for the first entry that is no endpoint, or is listed twice; nothing changes then */
  replace(input: readonly UrlEndpointInput[]): readonly UrlEndpoint[] {
    if (!Array.isArray(input)) {
      throw new OptionError("endpoints", input, 'give a list of URLs, e.g. ["http://10.0.0.1:3000"]');
    }
    const wanted = new Map<string, Omit<UrlEndpoint, "slot" | "incarnation">>();
    for (const [index, entry] of input.entries()) {
      const { url, weight, address, basePath } = parseEntry(entry, `endpoints[${index}]`);
      if (wanted.has(url)) throw new OptionError(`endpoints[${index}]`, url, "it is listed twice");
      wanted.set(url, { id: url, url, address, basePath, weight });
    }
    return this.#slots.replace([...wanted.values()]);
  }
}

function parseEntry(entry: UrlEndpointInput, option: string): EndpointUrl & { readonly weight: number } {
  if (typeof entry === "string" || entry instanceof URL) return { ...readEndpointUrl(entry, option), weight: 1 };
  const { url, weight } = parseOptions(withOptions, entry, option);
  return { ...readEndpointUrl(url, `${option}.url`), weight };
}
