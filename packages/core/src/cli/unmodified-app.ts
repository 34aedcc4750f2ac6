import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Server } from "node:http";
import { pathToFileURL } from "node:url";
import { LbError } from "../model/errors.ts";
import type { Instance } from "../worker/agent.ts";

/** Node publishes here each call of `listen`, before it takes effect. */
const listenChannel = "tracing:net.server.listen:asyncStart";

/**
 * Runs a program that knows nothing of us and listens on `process.env.PORT`, and resolves with the server that it set
 * listening there. A program that does not do so in time is ended by the primary, which knows the limit.
 *
 * @throws LbError `LB_ALREADY_CLUSTER` if the program calls `cluster()` itself
 */
export async function startUnmodifiedApp(entry: string, args: readonly string[], { port }: Instance): Promise<Server> {
  // To the program it is as if it had been started by itself.
  process.argv = [process.argv[0]!, entry, ...args];
  let observe: (message: unknown) => void = () => {};
  const listening = new Promise<Server>((resolve) => {
    observe = (message) => {
      const { server, options } = message as {
        readonly server?: unknown;
        readonly options?: { readonly port?: unknown };
      };
      if (server instanceof Server && Number(options?.port) === port) resolve(server);
    };
    subscribe(listenChannel, observe);
  });
  try {
    const [server] = await Promise.all([listening, imported(entry)]);
    return server;
  } finally {
    unsubscribe(listenChannel, observe);
  }
}

async function imported(entry: string): Promise<void> {
  try {
    await import(pathToFileURL(entry).href);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "LB_CLUSTER_TWICE") throw error;
    throw new LbError(
      "LB_ALREADY_CLUSTER",
      `${entry} calls cluster() itself, so it needs no \`lb start\`: run it with \`node ${entry}\`. ` +
        "The other commands of `lb` work with it all the same.",
    );
  }
}
