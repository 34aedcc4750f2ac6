import { type AppOptions, appsSchema } from "./app-options.ts";
import { type BackendsOptions, backendsSchema } from "./backend-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { type RouteOptions, routesSchema } from "./route-options.ts";

/** Who is behind the public port besides the app, and which requests are theirs. */
export interface RoutingOptions {
  /**
   * Which requests go where: `[{ path: "/api/*", to: "api" }]`. The first that a request fits counts; without one it is the app's. In proxy
   * mode. Default: all are the app's.
   */
  readonly routes?: readonly RouteOptions[];
  /** Programs of their own that routes lead to, by name: `{ api: { endpoints: ["http://10.0.0.1:3000"] } }`. Default: none. */
  readonly backends?: BackendsOptions;
  /**
   * Several apps behind the one front, each with instances of its own: `[{ name: "api", entry: "./api.js", routes: { path: "/api/*" } }, …]`; see
   * docs/apps.md. Default: none.
   */
  readonly apps?: readonly AppOptions[];
}

/** The options of {@link RoutingOptions}, to be spread into those of a cluster. */
export const routingEntries = {
  routes: option(routesSchema, [], "which requests go where, in proxy mode; see below and [routes.md](routes.md)", {
    otherwise: "all to the app",
  }),
  backends: option(
    backendsSchema,
    {},
    "who is reached besides the app, by name; see below and [backends.md](backends.md)",
    {
      otherwise: "none",
    },
  ),
  apps: option(appsSchema, [], "several apps, each with instances of its own; see below and [apps.md](apps.md)", {
    otherwise: "none",
  }),
} satisfies EntriesOf<RoutingOptions>;
