import { createServer, type RequestListener, type Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server as NetServer } from "node:net";
import { LbError } from "../model/errors.ts";
import { protocolOf, takesHttp1 } from "./listen/server-protocol.ts";

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
 * (listening or not, with TLS or without), a Koa app, or a Fastify instance; nothing, if it has called `listen` itself.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: what a callback is that ends without a return
export type App = RequestListener | Server | HttpsServer | KoaLike | FastifyLike | undefined | void;

/** The app listens on the instance's own port, in a process or a thread that the program has started. */
export class AppOnOwnPort {}

/** An app reduced to what the agent works with. */
export interface AppServer {
  /** One that takes HTTP/1.1, though it may be an `https` or `http2` server, which is like an `http` one in all we use. */
  readonly server: Server;
  /** What the framework wants called at the end, when no connection is left. */
  readonly close?: () => PromiseLike<unknown>;
}

/** A server that the callback set listening as the app; `likely`: it may turn out not to be that. */
export interface ListeningApp {
  readonly kind: "likely" | "sure";
  readonly server: NetServer;
}

/**
 * What the callback's result is served by. `listening` is meant where nothing was returned, or its own listener.
 *
 * @throws LbError `LB_APP_RESULT` for anything that is not an {@link App}; what Fastify's `ready()` rejects with.
 */
export async function appServer(app: unknown, listening?: ListeningApp): Promise<AppServer> {
  const served = await serverOf(app, listening);
  if (listening?.kind !== "sure" || listening.server === served.server) return served;
  throw new LbError(
    "LB_APP_RESULT",
    "The callback given to cluster() called listen() itself, but returned something else than the server that " +
      "listens. Return that server (what app.listen() returns), or nothing, or do not call listen().",
  );
}

/** Tells the frameworks apart by shape, so that none of them has to be installed. */
async function serverOf(app: unknown, listening: ListeningApp | undefined): Promise<AppServer> {
  const own = listening?.server as Server | undefined;
  if (own !== undefined && (app === undefined || own.listeners("request").includes(app as RequestListener))) {
    return { server: own };
  }
  if (app instanceof NetServer && takesHttp1(protocolOf(app))) return { server: app as Server };
  if (isFastify(app)) {
    await app.ready();
    return { server: app.server, close: () => app.close() };
  }
  // The listener that a Koa app makes is a new one each time, so its own server is not known by it.
  if (isKoa(app)) {
    return { server: own !== undefined && listening?.kind === "sure" ? own : createServer(app.callback()) };
  }
  if (typeof app === "function") return { server: createServer(app as RequestListener) };
  throw new LbError(
    "LB_APP_RESULT",
    `The callback given to cluster() returned ${name(app)}. It may return a request listener, an http.Server, ` +
      "an Express or Koa app, or a Fastify instance, or a promise of one of these; or call listen() itself.",
  );
}

function isFastify(app: unknown): app is FastifyLike {
  return hasMethod(app, "ready") && hasMethod(app, "close") && "server" in app && app.server instanceof NetServer;
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
  const http2 = value instanceof NetServer && protocolOf(value) === "http2";
  return http2
    ? "a server that speaks HTTP/2 only (allowHTTP1: true changes that)"
    : `an object of type ${type ?? "Object"}`;
}
