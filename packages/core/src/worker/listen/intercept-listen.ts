import { Server } from "node:net";
import { noteFault } from "../agent-faults.ts";

/** Decides what becomes of a call of `listen`. */
export interface ListenInterceptor {
  listen(server: Server, args: readonly unknown[], original: Server["listen"]): Server;
}

/** Marks servers of our own, which listen where they are told. Known to every copy of this library in the process. */
const ours = Symbol.for("@lb/core.ownServer");

/** A server of ours: no interception concerns it. */
export function ownServer<Made extends Server>(server: Made): Made {
  return Object.assign(server, { [ours]: true });
}

/** From now on each call of `listen` in this process, whatever the server, goes to the interceptor. */
export function interceptListen(interceptor: ListenInterceptor): void {
  const original = Server.prototype.listen;
  Server.prototype.listen = function listen(this: Server, ...args: unknown[]) {
    // As Node, which looks at nothing else of a server that listens: it throws.
    if (ours in this || this.listening) return original.apply(this, args as never);
    try {
      return interceptor.listen(this, args, original);
    } catch (error) {
      // What the program did wrong, Node says too.
      noteFault("a call of listen", error);
      return original.apply(this, args as never);
    }
  } as Server["listen"];
}
