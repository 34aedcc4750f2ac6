import type { IncomingMessage } from "node:http";
import type { Server } from "socket.io";
import type { AnyServer } from "./any-server.ts";

interface Engine {
  generateId(request: IncomingMessage): string | PromiseLike<string>;
}

/**
 * Has the session ids of `io` begin with `prefix`, so that every front can tell where a session lives; behind it stands
 * what Engine.IO, or the app, makes them of, with all of its entropy. Works before and after `io` is attached.
 */
export function prefixSessionIds(io: AnyServer, prefix: string): void {
  const install = (engine: Engine) => {
    const generate = engine.generateId.bind(engine);
    engine.generateId = async (request) => prefix + (await generate(request));
  };
  if (io.engine !== undefined) install(io.engine);
  const bind = io.bind.bind(io);
  io.bind = (engine) => {
    install(engine);
    return bind(engine) as Server;
  };
}
