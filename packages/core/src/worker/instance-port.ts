import { once } from "node:events";
import type { Server } from "node:http";
import { LbError } from "../model/errors.ts";
import { ListenError } from "../model/listen-error.ts";
import type { ListenWatch } from "./listen-watch.ts";

export interface InstancePort {
  readonly host: string;
  readonly port: number;
}

/**
 * Sees to it that the app's server listens on the instance's own port: opens it there unless the app has done so.
 * A server that listens anywhere else is refused, since everything that addresses an instance directly (a debugger, an
 * external balancer, the status) goes by that port.
 *
 * @throws ListenError, or LbError `LB_APP_PORT`, `LB_APP_RESULT`
 */
export async function openInstancePort(server: Server, at: InstancePort, watch: ListenWatch): Promise<void> {
  const listens = watch.listens();
  for (const { error, port } of listens) {
    if (error !== undefined) throw listenFailure(error, at, port);
  }
  if (!listens.some((listen) => listen.server === server)) {
    const other = listens.find((listen) => listen.port === at.port);
    if (other !== undefined) throw listensItself(at);
    if (!server.listening) server.listen({ ...at, exclusive: true });
  }
  if (!server.listening) await listening(server, at);
  const address = server.address();
  if (typeof address === "object" && address !== null && address.port === at.port) return;
  throw listensElsewhere(typeof address === "string" ? address : `port ${address?.port}`, at);
}

async function listening(server: Server, at: InstancePort): Promise<void> {
  try {
    await once(server, "listening");
  } catch (error) {
    throw listenFailure(error, at, undefined);
  }
}

/** What failed was the app's own `listen` if it was for another port than the one that was given to it. */
export function listenFailure(error: unknown, at: InstancePort, asked: number | undefined): LbError {
  const { port = asked ?? at.port } = error as { readonly port?: number };
  return port === at.port
    ? new ListenError({ ...at, remedy: 'the option "workerPort"' }, error)
    : new ListenError({ ...at, port, remedy: "the app's call of listen(): give it process.env.PORT" }, error);
}

function listensItself({ port }: InstancePort): LbError {
  return new LbError(
    "LB_APP_RESULT",
    `The callback given to cluster() called listen(${port}) itself, but returned something else than the server that ` +
      "listens. Return that server (what app.listen() returns), or do not call listen().",
  );
}

function listensElsewhere(where: string, { port }: InstancePort): LbError {
  return new LbError(
    "LB_APP_PORT",
    `The server returned to cluster() listens on ${where}, but this instance's port is ${port}. ` +
      "Give process.env.PORT to its listen(), or do not call listen(): cluster() does.",
  );
}
