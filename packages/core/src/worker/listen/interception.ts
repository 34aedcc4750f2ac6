import type { Server } from "node:net";
import type { Clock, Timer } from "../../model/clock.ts";
import { LbError } from "../../model/errors.ts";
import { type Asked, type ListenCall, listenAt, readListenCall } from "./listen-arguments.ts";
import { addressInUse } from "./listen-failure.ts";
import { type Protocol, protocolOf, takesHttp1 } from "./server-protocol.ts";
import { showAddress, shownAddress } from "./shown-address.ts";

/** Where the servers of an instance really listen. */
export interface Places {
  /** A program that listens on one of these means the app: what `PORT` says, the public port, the instance's own. */
  readonly appPorts: ReadonlySet<number>;
  /** For what has to be bound for real: a server that is not HTTP and asked for a port of the app's. */
  readonly own: { readonly host: string; readonly port: number };
  /** The `n`th socket that nobody connects to: a server that gets its connections from us listens there. */
  readonly privatePath: (n: number) => string;
  /** One of its servers is the app; else all are further ones. */
  readonly hasApp: boolean;
}

/** The program's further ports, which all instances have in common. */
export interface FurtherPorts {
  /** Rejects with the error that `listen` would have ended with. */
  open(server: Server, port: number, host: string | undefined): Promise<void>;
}

/** What the program listens on, for whoever wonders why none of it is the app. */
export interface Listened {
  readonly protocol: Protocol;
  /** 0: any that is free. Undefined: a path, or a descriptor. */
  readonly port: number | undefined;
}

export interface InterceptionOptions {
  readonly clock: Clock;
  /** Told of each server that the program sets listening. */
  readonly listened: (listened: Listened) => void;
}

type Listen = Server["listen"];
type PortAsked = Extract<Asked, { readonly kind: "port" }>;

/**
 * - `likely`: the first HTTP server that listens on a port of the program's own choice; one that is `sure` replaces it;
 * - `sure`: it listens on a port of the app's, or was given to `cluster()`.
 */
interface AppServer {
  readonly kind: "likely" | "sure";
  readonly server: Server;
  /** Undefined: it was given to us. */
  readonly asked: PortAsked | undefined;
}

interface Waiting {
  readonly resolve: (server: Server) => void;
  readonly reject: (error: LbError) => void;
}

/** A program may open a port for metrics before that of its app: so long the first one may turn out not to be it. */
const settleMs = 1_000;

/**
 * Stands before `listen` in an instance, as `node:cluster` does, so that no program has to know which of the instances it
 * is. The app's server, wherever it means to listen, gets its connections from the front and from the instance's own
 * port; further servers on fixed ports are opened once for all instances; port 0 is kept on loopback, and paths and
 * descriptors are left alone.
 *
 * A server that gets its connections from us listens on a private Unix socket: `listening`, `close()`, `ref()` and its
 * events are Node's own then, and `address()` says what the program asked for.
 */
export class Interception {
  readonly #places: Places;
  readonly #clock: Clock;
  readonly #further: FurtherPorts;
  readonly #listened: (listened: Listened) => void;
  readonly #waiting: Waiting[] = [];
  #app: AppServer | undefined;
  #settle: Timer | undefined;
  #unusable: LbError | undefined;
  #private = 0;

  constructor(places: Places, further: FurtherPorts, { clock, listened }: InterceptionOptions) {
    this.#places = places;
    this.#further = further;
    this.#clock = clock;
    this.#listened = listened;
  }

  /** The server that seems to be the app, if one listens. */
  get app(): Pick<AppServer, "kind" | "server"> | undefined {
    return this.#app?.server.listening === true ? this.#app : undefined;
  }

  /**
   * Resolves as soon as it is clear which of the program's servers is the app.
   *
   * @throws LbError `LB_APP_PROTOCOL`: it speaks HTTP/2 only
   */
  appListening(): Promise<Server> {
    if (this.#unusable !== undefined) return Promise.reject(this.#unusable);
    const app = this.#app;
    if (app?.kind === "sure" && app.server.listening) return Promise.resolve(app.server);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** This one is the app; another that seemed to be is not. */
  declareApp(server: Server): void {
    this.#demote(server);
    this.#app = { kind: "sure", server, asked: this.#app?.server === server ? this.#app.asked : undefined };
  }

  /** In place of `server.listen(...args)`. */
  listen(server: Server, args: readonly unknown[], original: Listen): Server {
    const call = readListenCall(args);
    const { asked } = call;
    const protocol = protocolOf(server);
    this.#listened({ protocol, port: portOf(asked) });
    switch (asked.kind) {
      case "other":
        return original.apply(server, args as never);
      case "any-port":
        return bind(server, call, { host: this.#places.own.host, port: 0 }, original);
      case "port":
        return takesHttp1(protocol)
          ? this.#listenHttp(server, asked, call, original)
          : this.#listenOther(server, asked, call, original, protocol);
      default:
        return asked satisfies never;
    }
  }

  #listenHttp(server: Server, asked: PortAsked, call: ListenCall, original: Listen): Server {
    if (!this.#places.hasApp) return this.#listenFurther(server, asked, call, original);
    const sure = this.#places.appPorts.has(asked.port);
    const app = this.#app?.server.listening === true && this.#app.server !== server ? this.#app : undefined;
    if (app !== undefined && !sure) return this.#listenFurther(server, asked, call, original);
    if (app?.kind === "sure") {
      // The same program on another address, as where `localhost` is two.
      if (app.asked?.host !== asked.host) return this.#listenPrivately(server, asked, call, original);
      process.nextTick(() => server.emit("error", addressInUse(asked)));
      return server;
    }
    this.#demote(server);
    this.#choose({ kind: sure ? "sure" : "likely", server, asked });
    return this.#listenPrivately(server, asked, call, original);
  }

  #listenOther(server: Server, asked: PortAsked, call: ListenCall, original: Listen, protocol: Protocol): Server {
    const { appPorts, own } = this.#places;
    const sure = appPorts.has(asked.port);
    // What passes its connections on to processes of the program's own has to be a real server, which those check.
    if (isOfNodeCluster(server)) {
      return bind(server, call, sure ? own : { host: own.host, port: asked.port }, original);
    }
    if (!sure) return this.#listenFurther(server, asked, call, original);
    if (protocol === "http2") this.#refuse();
    return bind(server, call, own, original);
  }

  #listenPrivately(server: Server, { port, host }: PortAsked, call: ListenCall, original: Listen): Server {
    showAddress(server, shownAddress(port, host));
    return listenAt(server, call, { path: this.#places.privatePath(++this.#private) }, original);
  }

  #listenFurther(server: Server, asked: PortAsked, call: ListenCall, original: Listen): Server {
    this.#further.open(server, asked.port, asked.host).then(
      () => {
        if (!server.listening) this.#listenPrivately(server, asked, call, original);
      },
      (error: Error) => process.nextTick(() => server.emit("error", error)),
    );
    return server;
  }

  /** The one that seemed to be the app is opened where it wanted to be, unless it is this one. */
  #demote(successor: Server): void {
    const app = this.#app;
    if (app?.kind !== "likely" || app.server === successor || !app.server.listening) return;
    const { server, asked } = app;
    this.#further
      .open(server, asked!.port, asked!.host)
      .catch((error: Error) => process.nextTick(() => server.emit("error", error)));
  }

  #choose(app: AppServer): void {
    this.#app = app;
    this.#settle?.cancel();
    app.server.once("listening", () => {
      if (this.#app !== app) return;
      if (app.kind === "sure") this.#tell(app.server);
      else
        this.#settle = this.#clock.after(settleMs, () => {
          if (this.app === app) this.#tell(app.server);
        });
    });
  }

  #tell(server: Server): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(server);
  }

  #refuse(): void {
    this.#unusable = new LbError(
      "LB_APP_PROTOCOL",
      "The program's server speaks HTTP/2 only, and instances are spoken to in HTTP/1.1: " +
        "make it with http2.createSecureServer({ allowHTTP1: true, … }), or as an HTTP/1.1 server.",
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#unusable);
  }
}

function portOf(asked: Asked): number | undefined {
  switch (asked.kind) {
    case "port":
      return asked.port;
    case "any-port":
      return 0;
    case "other":
      return undefined;
  }
}

/** `node:cluster` makes a server for its workers only to take its handle, and gives it a listener that fails (`round_robin_handle.js`). */
function isOfNodeCluster(server: Server): boolean {
  const listeners = server.listeners("connection");
  return listeners.length === 1 && listeners[0]!.name === "fail";
}

function bind(server: Server, call: ListenCall, { host, port }: Places["own"], original: Listen): Server {
  return listenAt(server, call, { host, port, exclusive: true }, original);
}
