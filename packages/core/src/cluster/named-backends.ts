import type { Clock } from "../model/clock.ts";
import { OptionError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { ReachedEndpoint } from "../plane/plane-messages.ts";
import { Prober } from "../probe/prober.ts";
import { type UrlEndpoint, UrlEndpoints } from "../standalone/url-endpoints.ts";
import type { Traffic } from "./traffic.ts";

export interface NamedBackendsOptions {
  readonly backends: Readonly<Record<string, BackendSettings>>;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly random: Random;
}

/** Tells the traffic of the endpoints of named backends, and how their checks come back. */
export class NamedBackends {
  readonly #probers: readonly Prober[];

  /** @throws OptionError for an endpoint that is none */
  constructor({ backends, traffic, clock, random }: NamedBackendsOptions) {
    this.#probers = Object.entries(backends).flatMap(([backend, settings]) => {
      const endpoints = endpointsOf(backend, settings);
      traffic.order({ kind: "backend", backend, endpoints: endpoints.map(reached) });
      const { active } = settings.health;
      if (active === false) return [];
      const prober = new Prober({
        settings: active,
        clock,
        random,
        report: ({ id }, { kind }) => traffic.order({ kind: "probed", endpoint: id, up: kind === "up" }),
      });
      prober.update(endpoints);
      return [prober];
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#probers.map((prober) => prober.close()));
  }
}

function endpointsOf(backend: string, { endpoints }: BackendSettings): readonly UrlEndpoint[] {
  try {
    const named = new UrlEndpoints().replace(endpoints as Parameters<UrlEndpoints["replace"]>[0]);
    return named.map((endpoint) => ({ ...endpoint, id: `${backend} ${endpoint.url}` }));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    // Named by the list's own option, whose place is not known there.
    throw Object.assign(error, { message: error.message.replace('"endpoints', `"backends.${backend}.endpoints`) });
  }
}

function reached(endpoint: UrlEndpoint): ReachedEndpoint {
  const { address, url } = endpoint;
  if (address.kind === "unix" || url.startsWith("https:")) {
    throw new OptionError("backends", url, "only http: is reached for now");
  }
  const { host, port } = address;
  return { endpoint, reach: { kind: "http1", host, port }, shownAs: url };
}
