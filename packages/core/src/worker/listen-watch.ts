import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Server } from "node:http";

/** Node publishes here each call of `listen`, before it takes effect. */
const listenChannel = "tracing:net.server.listen:asyncStart";

/** One call of `listen` that the app's callback made. */
export interface ObservedListen {
  readonly server: Server;
  /** As the app asked for it, which may differ from what it got. */
  readonly port: number | undefined;
  /** It failed, and nobody but us listened for that. */
  readonly error: Error | undefined;
}

export interface ListenWatch {
  listens(): readonly ObservedListen[];
  /** From now on an `error` event is the app's own affair again. */
  stop(): void;
}

/**
 * Observes which HTTP servers the app sets listening while its callback runs. Without it, a server whose `listen` is
 * still looking up its host cannot be told from one on which it was never called; and the `error` event of a `listen`
 * that failed would come before the callback's result is known, and end the process without a word from us.
 */
export function watchListens(): ListenWatch {
  const observed = new Map<Server, { port: number | undefined; error: Error | undefined; catchError: () => void }>();
  const observe = (message: unknown) => {
    const { server, options } = message as {
      readonly server?: unknown;
      readonly options?: { readonly port?: unknown };
    };
    if (!(server instanceof Server) || observed.has(server)) return;
    const port = Number(options?.port);
    const catchError = (error?: Error) => {
      const entry = observed.get(server);
      if (entry !== undefined && server.listenerCount("error") === 1) entry.error = error;
    };
    server.on("error", catchError);
    observed.set(server, { port: Number.isInteger(port) ? port : undefined, error: undefined, catchError });
  };
  subscribe(listenChannel, observe);
  return {
    listens: () => [...observed].map(([server, { port, error }]) => ({ server, port, error })),
    stop() {
      unsubscribe(listenChannel, observe);
      for (const [server, { catchError }] of observed) server.off("error", catchError);
    },
  };
}
