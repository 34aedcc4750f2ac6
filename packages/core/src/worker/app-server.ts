import { createServer, type RequestListener, Server } from "node:http";
import { LbError } from "../model/errors.ts";

/** A Koa application, by the part of it that is used. */
export interface KoaLike {
  callback(): RequestListener;
}

/** A Fastify instance, by the part of it that is used. */
export interface FastifyLike {
  readonly server: Server;
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
}

/**
 * What the callback given to `cluster()` may return: a request listener (an Express app is one), an `http.Server`
 * (listening or not), a Koa app, or a Fastify instance.
 */
export type App = RequestListener | Server | KoaLike | FastifyLike;

/** An app reduced to what the agent works with. */
export interface AppServer {
  readonly server: Server;
  /** What the framework wants called at the end, when no connection is left. */
  readonly close?: () => PromiseLike<unknown>;
}

/**
 * Tells the frameworks apart by shape, so that none of them has to be installed.
 *
 * @throws LbError `LB_APP_RESULT` for anything that is not an {@link App}; what Fastify's `ready()` rejects with.
 */
export async function appServer(app: unknown): Promise<AppServer> {
  if (app instanceof Server) return { server: app };
  if (isFastify(app)) {
    await app.ready();
    return { server: app.server, close: () => app.close() };
  }
  if (isKoa(app)) return { server: createServer(app.callback()) };
  if (typeof app === "function") return { server: createServer(app as RequestListener) };
  throw new LbError(
    "LB_APP_RESULT",
    `The callback given to cluster() returned ${name(app)}. It may return a request listener, an http.Server, ` +
      "an Express or Koa app, or a Fastify instance, or a promise of one of these.",
  );
}

function isFastify(app: unknown): app is FastifyLike {
  return hasMethod(app, "ready") && hasMethod(app, "close") && "server" in app && app.server instanceof Server;
}

function isKoa(app: unknown): app is KoaLike {
  return typeof app === "object" && hasMethod(app, "callback");
}

function hasMethod<Name extends string>(value: unknown, method: Name): value is Record<Name, () => unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { readonly [Key in Name]?: unknown })[method] === "function"
  );
}

function name(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value !== "object") return `${typeof value} ${String(value).slice(0, 60)}`;
  const type = Object.getPrototypeOf(value)?.constructor?.name;
  // Their requests do not arrive as HTTP/1.1 in the clear, which is what the front speaks to its workers.
  const encrypted = /Http2|Secure/.test(String(type)) || "setSecureContext" in value;
  return encrypted ? "an HTTPS or HTTP/2 server (TLS ends at the front)" : `an object of type ${type ?? "Object"}`;
}
