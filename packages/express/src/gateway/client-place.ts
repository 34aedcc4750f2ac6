import type { UrlEndpoint } from "@lb/core";
import { type BackendPlace, clientCookiePath, rewriteCookie, rewriteLocation, rewriteRefresh } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { hostAsked } from "./client-message.ts";
import type { GatewaySettings } from "./options.ts";
import type { UpstreamRequest } from "./upstream-request.ts";
import { authorityOf } from "./upstreams.ts";
import { resultOf } from "./user-function.ts";

export interface ClientPlaceOptions {
  readonly settings: GatewaySettings;
  readonly call: Call;
  readonly request: UpstreamRequest;
  readonly endpoint: UrlEndpoint;
}

/** What becomes of the fields in which a target names places, as clients find those. */
export class ClientPlace {
  readonly #options: ClientPlaceOptions;
  #place: BackendPlace | undefined;

  constructor(options: ClientPlaceOptions) {
    this.#options = options;
  }

  /**
   * @param name in lower case
   * @throws GatewayError `LB_RULE` when a function of the options throws
   */
  rewrite(name: string, value: string): string {
    const { rewriteLocations, cookies } = this.#options.settings;
    switch (name) {
      case "location":
      case "content-location":
        return rewriteLocations ? rewriteLocation(value, this.#backend()) : value;
      case "refresh":
        return rewriteLocations ? rewriteRefresh(value, this.#backend()) : value;
      case "set-cookie":
        return cookies.path === undefined && cookies.domain === undefined ? value : this.#cookie(value);
      default:
        return value;
    }
  }

  #cookie(value: string): string {
    const { path, domain } = this.#options.settings.cookies;
    const { frameworkRequest } = this.#options.call;
    return resultOf('A function in the option "cookies"', () =>
      rewriteCookie(value, {
        path: (given) => {
          if (path === undefined) return given;
          return path === "mounted" ? clientCookiePath(given, this.#backend()) : path(given, frameworkRequest);
        },
        domain: (given) => {
          if (domain === undefined) return given;
          return domain === "dropped" ? undefined : domain(given, frameworkRequest);
        },
      }),
    ) as string;
  }

  #backend(): BackendPlace {
    this.#place ??= placeOf(this.#options);
    return this.#place;
  }
}

function placeOf({ settings, call, request, endpoint }: ClientPlaceOptions): BackendPlace {
  const clientAuthority = hostAsked(call.request);
  const sent = request.headers["host"];
  const own = endpoint.address.kind === "unix" ? "localhost" : authorityOf(endpoint);
  return {
    backendAuthorities: typeof sent === "string" && sent !== clientAuthority ? [own, sent] : [own],
    clientAuthority,
    backendPath: endpoint.basePath + request.prefix,
    clientPath: settings.path.kind === "original" ? "" : call.mountPath,
  };
}
