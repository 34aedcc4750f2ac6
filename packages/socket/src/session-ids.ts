import { type EngineServer, prefixSessionIds } from "@lb/core/kit";
import type { Server } from "socket.io";
import type { AnyServer } from "./any-server.ts";

/** Has the session ids of `io` begin with `prefix`, before and after it is attached. */
export function prefixSessionIdsOf(io: AnyServer, prefix: string): void {
  const install = (engine: unknown) => prefixSessionIds(engine as EngineServer, prefix);
  if (io.engine !== undefined) install(io.engine);
  const bind = io.bind.bind(io);
  io.bind = (engine) => {
    install(engine);
    return bind(engine) as Server;
  };
}
