import type { IncomingMessage } from "node:http";
import { noteSessions } from "./session-notice.ts";

/** What a session id may be made of: Engine.IO awaits what it gets, and writes it as text. */
type MakeId = (request: IncomingMessage) => unknown;

/** A server of Engine.IO, `io.engine` of Socket.IO's, by the part of it that is used. */
export interface EngineServer {
  generateId: MakeId;
}

/**
 * Has the session ids of `engine` begin with `prefix`, so that every front can tell where a session lives; behind it stands
 * what Engine.IO, or the app, makes them of, with all of its entropy. It stays so whatever the app sets as `generateId`
 * afterwards, as Socket.IO's documentation has it do. Idempotent.
 */
export function prefixSessionIds(engine: EngineServer, prefix: string): void {
  noteSessions();
  const own = Object.getOwnPropertyDescriptor(engine, "generateId");
  if (own?.get !== undefined) return;
  // Synchronous where it can be: older versions do not wait.
  const prefixed =
    (make: MakeId): MakeId =>
    (request) => {
      const id = make.call(engine, request);
      return isPromise(id) ? id.then((settled) => withPrefix(settled, prefix)) : withPrefix(id, prefix);
    };
  const inherited: MakeId = (request) => Object.getPrototypeOf(engine).generateId.call(engine, request);
  // Each is made around what was set, and not around what is set then: an app may wrap the one that it finds here.
  let current = prefixed(own === undefined ? inherited : engine.generateId);
  Object.defineProperty(engine, "generateId", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (make: MakeId) => {
      current = prefixed(make);
    },
  });
}

function withPrefix(id: unknown, prefix: string): string {
  const text = String(id);
  return text.startsWith(prefix) ? text : prefix + text;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
