import * as v from "valibot";
import { addressRanges } from "./address-ranges.ts";
import { type EntriesOf, option } from "./option.ts";
import { defaultsOr, options, secretText } from "./validation.ts";

/** Health endpoints on the public port, which the app then does not get to see. */
export interface HealthEndpointOptions {
  /** Where they are. Default `"/health"`: that, and `/health/live`, `/health/ready`, `/health/detailed`. */
  readonly path?: string;
  /**
   * Whoever shows this as `Authorization: Bearer …` gets `/health/detailed`, which is what `status()` returns: at least 16
   * characters, e.g. of `openssl rand -hex 32`. Others get 403.
   */
  readonly token?: string;
  /**
   * Who gets it without: addresses, ranges such as `"10.0.0.0/8"`, `"loopback"`, `"private"`; nobody who comes by way of a
   * proxy that says so and is not in `trustedProxies`. Default: nobody, since behind a proxy on this machine that says
   * nothing, the whole world is this machine. `lb status` needs neither.
   */
  readonly details?: readonly string[];
}

export interface HealthEndpointSettings {
  readonly path: string;
  readonly showsDetails: (address: string) => boolean;
  readonly token: string | undefined;
}

const given = v.pipe(
  options({
    path: option(
      v.pipe(
        v.string("give a path"),
        v.regex(/^(\/[\w.~-]+)+$/, 'give a path that does not end in a slash, e.g. "/health"'),
      ),
      "/health",
      "where they are: that, and `/live`, `/ready`, `/detailed` under it",
    ),
    token: option(secretText, undefined, "who shows this as `Authorization: Bearer …` gets `/health/detailed`", {
      otherwise: "none",
    }),
    details: option(addressRanges, [], 'who gets it without: addresses, ranges, `"loopback"`, `"private"`', {
      otherwise: "nobody",
    }),
  } satisfies EntriesOf<HealthEndpointOptions>),
  v.transform(({ path, token, details }): HealthEndpointSettings => ({ path, showsDetails: details, token })),
);

/** `true` is all defaults. */
export const healthEndpointSchema = defaultsOr<HealthEndpointOptions, HealthEndpointSettings>(given);
