import { connect, type Server } from "node:net";
import type { Clock } from "../../model/clock.ts";
import type { ChildPlaces } from "./child-places.ts";
import type { ListenInterceptor } from "./intercept-listen.ts";
import { type Asked, type ListenCall, listenAt, readListenCall } from "./listen-arguments.ts";
import { protocolOf, takesHttp1 } from "./server-protocol.ts";
import { showAddress, shownAddress } from "./shown-address.ts";
import { takeWithoutTls } from "./tls-or-not.ts";

/** A worker of `node:cluster` is there to serve, as the instance itself is, where the same time holds (`interception.ts`). */
const clusterSettleMs = 1_000;
/** Any other process, or a thread, may as well be there for something else, and its program's app is still to come. */
const settleMs = 3_000;

export interface ChildInterceptionOptions {
  readonly clock: Clock;
  /** This process is a worker of `node:cluster`: those of one program share the ports that they listen on. */
  readonly isClusterWorker: () => boolean;
}

type PortAsked = Extract<Asked, { readonly kind: "port" }>;

/**
 * Stands before `listen` in the processes and threads that an instance's program starts. The app's server listens on the
 * instance's own port, from which the agent has it served: one that asks for a port of the app's, or else the first HTTP
 * server on any other fixed port, if it is not clear by then that the app is elsewhere. All the rest stays on loopback.
 */
export class ChildInterception implements ListenInterceptor {
  readonly #places: ChildPlaces;
  readonly #options: ChildInterceptionOptions;
  /** `likely`: a server on another port waits for whether one comes that is sure. */
  #app: "none" | "likely" | "sure" = "none";

  constructor(places: ChildPlaces, options: ChildInterceptionOptions) {
    this.#places = places;
    this.#options = options;
  }

  listen(server: Server, args: readonly unknown[], original: Server["listen"]): Server {
    const call = readListenCall(args);
    const { asked } = call;
    const { host, appPorts } = this.#places;
    const onLoopback = (port: number) => listenAt(server, call, { host, port }, original);
    switch (asked.kind) {
      case "other":
        return original.apply(server, args as never);
      case "any-port":
        return onLoopback(0);
      case "port":
        if (appPorts.includes(asked.port)) {
          this.#app = "sure";
          return this.#listenAsApp(server, asked, call, original);
        }
        if (this.#app !== "none" || !takesHttp1(protocolOf(server))) return onLoopback(asked.port);
        this.#app = "likely";
        this.#settle(server, (isApp) => {
          if (isApp) this.#listenAsApp(server, asked, call, original);
          else onLoopback(asked.port);
        });
        return server;
      default:
        return asked satisfies never;
    }
  }

  #listenAsApp(server: Server, { port, host }: PortAsked, call: ListenCall, original: Server["listen"]): Server {
    showAddress(server, shownAddress(port, host));
    takeWithoutTls(server);
    const { host: at, port: own } = this.#places;
    return listenAt(server, call, { host: at, port: own }, original);
  }

  #settle(server: Server, settled: (isApp: boolean) => void): void {
    const { clock, isClusterWorker } = this.#options;
    const shared = isClusterWorker();
    const decide = () => {
      server.off("close", closed);
      if (server.listening) return;
      if (this.#app === "sure") settled(false);
      else if (shared) settled(true);
      else
        this.#isTaken((taken) => {
          if (!server.listening) settled(!taken && this.#app === "likely");
        });
    };
    // As the server would, a program that has nothing else to do lives on for it.
    const timer = clock.after(shared ? clusterSettleMs : settleMs, decide, { keepAlive: true });
    const closed = () => timer.cancel();
    server.once("close", closed);
  }

  /** The app is in the instance itself, or in another process of the program's. */
  #isTaken(told: (taken: boolean) => void): void {
    const { host, port } = this.#places;
    const socket = connect({ host, port });
    socket
      .once("connect", () => {
        socket.destroy();
        told(true);
      })
      .once("error", () => told(false));
  }
}
