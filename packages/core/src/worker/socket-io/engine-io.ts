import type { WatchedModule } from "../module-watch.ts";
import { noteEngine } from "./engine-clients.ts";
import { type EngineServer, prefixSessionIds } from "./session-ids.ts";
import { noteSessions } from "./session-notice.ts";

/** Told of each Engine.IO server that has sessions, once or more often. */
export type EngineListener = (engine: EngineServer) => void;

type Handshake = (this: EngineServer, ...args: unknown[]) => unknown;

/** The prototype of Engine.IO's servers, by the part of it that is used, in every version from 3 on. */
interface EnginePrototype extends EngineServer {
  handshake: Handshake;
}

/** Marks prototypes, for every copy of this library in the process. */
const marked = Symbol.for("@lb/core.engineIo");

/** Has every Engine.IO server of the app give its sessions ids that begin with `prefix`, if there is one, and tells of them. */
export function engineIo(prefix: string | undefined, hasSessions: EngineListener = () => {}): WatchedModule {
  return {
    name: "engine.io",
    file: /\/engine\.io\/(build|lib)\/(engine\.io|server)\.js$/,
    loaded: (exports) => {
      const prototype = serverPrototype(exports);
      if (prototype === undefined) return;
      if (prefix !== undefined) noteSessions();
      if (Object.hasOwn(prototype, marked)) return;
      Object.defineProperty(prototype, marked, { value: true });
      const { handshake } = prototype;
      // Each session begins here, before its id is made: no server escapes, whatever class it is of.
      prototype.handshake = function (this: EngineServer, ...args: unknown[]) {
        if (prefix !== undefined) prefixSessionIds(this, prefix);
        noteEngine(this);
        hasSessions(this);
        return handshake.apply(this, args);
      };
    },
  };
}

function serverPrototype(exports: unknown): EnginePrototype | undefined {
  const { Server } = (exports ?? {}) as { readonly Server?: unknown };
  for (const made of [Server, exports]) {
    if (typeof made !== "function") continue;
    for (let prototype = made.prototype; typeof prototype === "object" && prototype !== null; ) {
      if (Object.hasOwn(prototype, "handshake")) return prototype as EnginePrototype;
      prototype = Object.getPrototypeOf(prototype);
    }
  }
  return undefined;
}
