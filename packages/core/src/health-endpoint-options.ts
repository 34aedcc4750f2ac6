import * as v from "valibot";
import { addressRanges } from "./address-ranges.ts";
import { offOr, options } from "./validation.ts";

/** Health endpoints on the public port, which the app then does not get to see. */
export interface HealthEndpointOptions {
  /** Where they are. Default `"/health"`: that, and `/health/live`, `/health/ready`, `/health/detailed`. */
  readonly path?: string;
  /**
   * Who gets `/health/detailed`, which is what `status()` returns: addresses, ranges such as `"10.0.0.0/8"`, `"loopback"`,
   * `"private"`. Others get 403; so does whoever comes by way of a proxy that is not in `trustedProxies`. Default
   * `["loopback"]`.
   */
  readonly details?: readonly string[];
}

export interface HealthEndpointSettings {
  readonly path: string;
  readonly showsDetails: (address: string) => boolean;
}

const given = v.pipe(
  options({
    path: v.optional(
      v.pipe(
        v.string("give a path"),
        v.regex(/^(\/[\w.~-]+)+$/, 'give a path that does not end in a slash, e.g. "/health"'),
      ),
      "/health",
    ),
    details: v.optional(addressRanges, ["loopback"]),
  }),
  v.transform(({ path, details }): HealthEndpointSettings => ({ path, showsDetails: details })),
);

/** `true` is all defaults. */
export const healthEndpointSchema = v.lazy((input) =>
  input === true
    ? v.pipe(
        v.literal(true),
        v.transform(() => v.parse(given, {})),
      )
    : offOr(given),
) as unknown as v.GenericSchema<HealthEndpointOptions | boolean, HealthEndpointSettings | false>;
