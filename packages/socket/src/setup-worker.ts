import { currentInstance, LbError, OptionError } from "@lb/core";
import { systemClock } from "@lb/core/kit";
import type { AnyServer } from "./any-server.ts";
import { parseSetupWorkerOptions, type SetupWorkerOptions } from "./options.ts";
import { ServerWorker, type SocketWorker, type WorkerParts } from "./socket-worker.ts";

/** On a server, for every copy of this library in the process: what was done to it. */
const key = Symbol.for("@lb/socket.worker");

type SetUpServer = AnyServer & { [key]?: { readonly asked: boolean; yield(): void } };

/**
 * Makes a Socket.IO server one of the instances of a cluster: events reach the clients of all instances, sessions are
 * found again, and when this instance drains, its sockets are closed at a pace. Call it once for each server, before
 * clients connect; before or after `attach`, and before or after namespaces are made. Each socket says who serves it:
 * `socket.data.instance`, from 1.
 *
 * In a process that is no instance only the options for Redis have an effect.
 *
 * @throws OptionError for an option that cannot be used
 * @throws MissingPackageError if an option needs a package that is not installed
 * @throws LbError `LB_ALREADY_SET_UP` for a server that was set up before
 */
export function setupWorker(io: AnyServer, options: SetupWorkerOptions = {}): SocketWorker {
  const settings = parseSetupWorkerOptions(options);
  const before = (io as SetUpServer)[key];
  if (before?.asked === true)
    throw new LbError("LB_ALREADY_SET_UP", "setupWorker() was called for this server before: call it once.");
  const { redis } = settings;
  if (redis !== undefined && redis.kind !== "streams" && io._opts.connectionStateRecovery !== undefined) {
    const remedy = "what clients missed is kept in a stream only: add streams: true, or do without Redis";
    throw new OptionError("connectionStateRecovery", io._opts.connectionStateRecovery, remedy);
  }
  before?.yield();
  return setUp(io, { settings, asked: true, keepsAdapter: false });
}

/** How many servers there are at each path. */
const serversAt = new Map<string, number>();

/**
 * What `lb start` calls for each Socket.IO server that the app gives an engine: as `setupWorker(io)`, but that the app
 * need not know. It may call `setupWorker` itself, before or afterwards, and what it says holds.
 */
export function joinInstances(io: AnyServer, { adapter }: { readonly adapter: boolean }): void {
  // Older versions of Socket.IO have another kind of adapters.
  if ((io as SetUpServer)[key] !== undefined || io._opts === undefined) return;
  // Servers of one program find their like in the other instances by their paths, and by the order in which they are made.
  const path = io.path();
  const count = (serversAt.get(path) ?? 0) + 1;
  serversAt.set(path, count);
  const settings = parseSetupWorkerOptions({ ipc: { name: `${path}#${count}` } });
  setUp(io, { settings, asked: false, keepsAdapter: !adapter });
}

function setUp(io: AnyServer, what: Pick<WorkerParts, "settings" | "asked" | "keepsAdapter">): ServerWorker {
  const worker = new ServerWorker(io, { ...what, instance: currentInstance(), clock: systemClock });
  Object.defineProperty(io, key, { value: worker, configurable: true });
  return worker;
}
