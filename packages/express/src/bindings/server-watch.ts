import { subscribe } from "node:diagnostics_channel";
import { Server } from "node:http";
import { serveUpgrades } from "../gateway/upgrades.ts";

/** Node publishes here each call of `listen`, before it takes effect. */
const listenChannel = "tracing:net.server.listen:asyncStart";

/** Middleware that wants requests for upgrades. */
const wanting = new WeakSet<object>();
let watching = false;

/**
 * Has the servers, on whose Express app `middleware` is mounted, give it requests for upgrades from the moment they
 * listen. A middleware is not told where it is mounted, hence the look at the app's routers. What cannot be seen from
 * there, an app within an app for instance, is found with its first request.
 */
export function wantUpgrades(middleware: object): void {
  wanting.add(middleware);
  if (watching) return;
  watching = true;
  subscribe(listenChannel, (message) => {
    const { server } = message as { readonly server?: unknown };
    if (!(server instanceof Server)) return;
    if (server.listeners("request").some(wants)) serveUpgrades(server);
  });
}

/** What a look at it throws is the app's own affair, and no reason for it not to listen. */
function wants(app: unknown): boolean {
  try {
    return holdsWanting(app, 0);
  } catch {
    return false;
  }
}

const maxDepth = 16;

/** Express's apps and routers keep what is mounted in a `stack` of layers; each has its `handle` or its `route`. */
function holdsWanting(app: unknown, depth: number): boolean {
  if (typeof app !== "function" && (typeof app !== "object" || app === null)) return false;
  if (wanting.has(app)) return true;
  if (depth === maxDepth) return false;
  const { stack, _router, handle, route } = app as Record<string, unknown>;
  // Express 4's app throws when asked for its `router`, and Express 5's has no `_router`.
  const router = _router ?? ("settings" in app && stack === undefined ? routerOf(app) : undefined);
  const layers = Array.isArray(stack) ? stack : [];
  return [...layers, router, typeof app === "object" ? handle : undefined, route].some((inner) =>
    holdsWanting(inner, depth + 1),
  );
}

function routerOf(app: object): unknown {
  try {
    return (app as { readonly router?: unknown }).router;
  } catch {
    return undefined;
  }
}
