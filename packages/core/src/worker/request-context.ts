import { AsyncLocalStorage } from "node:async_hooks";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { noteFault } from "./agent-faults.ts";

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.requestId");
const shared = globalThis as { [key]?: { isAsked: boolean; context?: RequestContext } };

/**
 * The id of the request that the calling code works on, whatever it has awaited since: the one that the app gets as `X-Request-Id`.
 * Undefined elsewhere, where requests have none (see the option `requestId`), and to the first who calls it, if that is in a request:
 * ids are kept from then on.
 */
export function currentRequestId(): string | undefined {
  const known = shared[key];
  if (known === undefined) shared[key] = { isAsked: true };
  else known.isAsked = true;
  return known?.context?.current();
}

/** What is kept is the id alone, since what runs for a request may live longer; of an upgrade, which has it a moment later, the request. */
type Kept = string | IncomingMessage;
type Storage = AsyncLocalStorage<Kept>;

/** Keeps the ids of an instance's requests for whoever asks, from when that is done first: until then nothing of it is there. */
export class RequestContext {
  readonly #idOf: (request: IncomingMessage) => string | undefined;
  #storage: Storage | undefined;
  #server: Server | undefined;

  constructor(idOf: (request: IncomingMessage) => string | undefined) {
    this.#idOf = idOf;
    shared[key] = { isAsked: shared[key]?.isAsked ?? false, context: this };
  }

  /** Whose requests they are. */
  serve(server: Server): void {
    this.#server = server;
    if (shared[key]?.isAsked === true) this.current();
  }

  current(): string | undefined {
    if (this.#server === undefined) return undefined;
    if (this.#storage === undefined) {
      this.#storage = new AsyncLocalStorage();
      this.#keep(this.#server, this.#storage);
    }
    const kept = this.#storage.getStore();
    return typeof kept === "object" ? this.#idOf(kept) : kept;
  }

  #keep(server: Server, storage: Storage): void {
    const emit = server.emit as (this: Server, name: string, ...args: unknown[]) => boolean;
    // The one place before all listeners, and the only one that upgrades pass as well.
    server.emit = ((name: string, ...args: unknown[]) => {
      switch (name) {
        case "request":
        case "checkContinue":
        case "checkExpectation": {
          const [request, response] = args as [IncomingMessage, ServerResponse];
          const id = this.#found(request);
          if (id === undefined) return emit.call(server, name, ...args);
          if (request.method !== "GET" && request.method !== "HEAD") tellWithin(request, storage, id);
          // It waits behind another one, in whose context it is sent.
          if (response.socket === null) tellWithin(response, storage, id);
          return storage.run(id, () => emit.call(server, name, ...args));
        }
        case "upgrade": {
          const [request, socket] = args as [IncomingMessage, EventEmitter];
          tellWithin(socket, storage, request);
          return storage.run(request, () => emit.call(server, name, ...args));
        }
        default:
          return emit.call(server, name, ...args);
      }
    }) as Server["emit"];
  }

  #found(request: IncomingMessage): string | undefined {
    try {
      return this.#idOf(request);
    } catch (error) {
      noteFault("a request's id", error);
      return undefined;
    }
  }
}

/** What comes after the head, Node tells in the context of the connection. */
function tellWithin(emitter: EventEmitter, storage: Storage, kept: Kept): void {
  const { emit } = emitter;
  emitter.emit = (name, ...args) => storage.run(kept, () => emit.call(emitter, name, ...args));
}
