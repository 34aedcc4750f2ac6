import { createRequire } from "node:module";
import { join } from "node:path";
import type { EventReach } from "../../ipc/worker-facts.ts";
import type { WatchedModule } from "../module-watch.ts";
import { whenSeveral } from "../peers.ts";

/** A server of Socket.IO, by the part of it that is used. */
interface SocketIoServer {
  readonly sockets?: { readonly adapter?: object };
}

/** Where its sessions are. */
interface Engine {
  on?(event: "connection", listener: () => void): unknown;
  off?(event: "connection", listener: () => void): unknown;
}

interface ServerPrototype {
  bind(this: SocketIoServer, engine: Engine): unknown;
}

/** Found where the app is, if it is installed there: this package knows nothing of it. */
const socketPackageName = "@lb/socket";

interface SocketPackage {
  joinInstances?(io: SocketIoServer, options: { readonly adapter: boolean }): void;
}

/** What is done for a server's events, which by themselves reach the clients of one process. */
export interface SocketIoOptions {
  readonly reach: EventReach;
  /** One instance says for all that events stay where they are. */
  readonly warns: boolean;
}

/** On a server, for every copy of `@lb/socket` in the process: that it was given to it. */
const setUp = Symbol.for("@lb/socket.worker");

const serverOf = new WeakMap<object, SocketIoServer>();

/** `@lb/socket` sees to the server of this engine, and to how its sessions end. */
export function isSetUp(engine: object): boolean {
  return setUp in (serverOf.get(engine) ?? {});
}

/** Marks prototypes, for every copy of this library in the process. */
const marked = Symbol.for("@lb/core.socketIo");

/** Has the events of every Socket.IO server of the app reach the clients of all instances, or says that they do not. */
export function socketIo(options: SocketIoOptions): WatchedModule {
  return {
    name: "socket.io",
    file: /\/socket\.io\/(dist|lib)\/index\.js$/,
    loaded: (exports, by) => {
      const prototype = serverPrototype(exports);
      if (prototype === undefined || Object.hasOwn(prototype, marked)) return;
      Object.defineProperty(prototype, marked, { value: true });
      const { bind } = prototype;
      // A server is given its engine here, before anybody can connect.
      prototype.bind = function (engine) {
        const bound = bind.call(this, engine);
        serverOf.set(engine, this);
        if (options.reach === "join") joinInstances(this, by);
        if (options.warns) warnIfAlone(this, engine, options.reach);
        return bound;
      };
    },
  };
}

function serverPrototype(exports: unknown): ServerPrototype | undefined {
  const { Server } = (exports ?? {}) as { readonly Server?: unknown };
  for (const made of [Server, exports]) {
    if (typeof made === "function" && Object.hasOwn(made.prototype ?? {}, "bind")) return made.prototype;
  }
  return undefined;
}

/** Nothing that goes wrong here is the app's affair: its server is as it was. */
function joinInstances(io: SocketIoServer, by: string | undefined): void {
  try {
    socketPackage(by)?.joinInstances?.(io, { adapter: isAlone(io) });
  } catch (error) {
    process.emitWarning(error as Error);
  }
}

/** As the app would find it, or whoever loads Socket.IO for it. */
function socketPackage(by: string | undefined): SocketPackage | undefined {
  const places = [process.argv[1], join(process.cwd(), "_"), by].filter((place) => place !== undefined);
  for (const place of places) {
    const require = createRequire(place);
    let filename: string;
    try {
      filename = require.resolve(socketPackageName);
    } catch {
      continue;
    }
    return require(filename) as SocketPackage;
  }
  return undefined;
}

/** It has the adapter that comes with Socket.IO, which knows of no other process. */
function isAlone({ sockets }: SocketIoServer): boolean {
  return ["Adapter", "SessionAwareAdapter"].includes(sockets?.adapter?.constructor.name ?? "");
}

/** When the first client is there the app has made its choice of an adapter. */
function warnIfAlone(io: SocketIoServer, engine: Engine, reach: EventReach): void {
  const look = () => {
    engine.off?.("connection", look);
    if (isAlone(io)) whenSeveral(() => warn(reach));
  };
  engine.on?.("connection", look);
}

function warn(reach: EventReach): void {
  const remedy =
    reach === "join" ? "Install @lb/socket (npm install @lb/socket)" : "Call setupWorker(io) of @lb/socket";
  const detail = `${remedy}, or give the server an adapter; the option "socketIo" says that it is meant so.`;
  process.emitWarning(`Events of Socket.IO reach the clients of one instance only. ${detail}`, {
    code: "LB_EVENTS_STAY",
  });
}
