import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "../../model/clock.ts";
import { ListenError } from "../../model/listen-error.ts";
import { ownServer } from "../listen/intercept-listen.ts";

export interface InstancePort {
  readonly host: string;
  readonly port: number;
}

/** Somebody else may have been quicker to take the port that a predecessor left; it is tried again so often. */
const retryMs = 1_000;

/**
 * The instance's own ports, for direct access: the one it was started with, and the slot's, if that was its
 * predecessor's then. Their connections are given to whatever serves the app, as if that had accepted them.
 */
export class OwnPorts {
  readonly #give: (socket: Socket) => void;
  readonly #clock: Clock;
  readonly #listeners = new Set<Server>();
  #retry: Timer | undefined;
  #closed = false;

  constructor(give: (socket: Socket) => void, clock: Clock) {
    this.#give = give;
    this.#clock = clock;
  }

  /** @throws ListenError */
  async open(at: InstancePort): Promise<Server> {
    const listener = this.#listen(at);
    try {
      await once(listener, "listening");
    } catch (error) {
      throw new ListenError({ address: { kind: "tcp", ...at }, remedy: 'the option "workerPort"' }, error);
    }
    return listener;
  }

  /**
   * Sees that nobody else has the port, before an app is started whose processes are to open it: what answers there would
   * be taken for them.
   *
   * @throws ListenError
   */
  async try(at: InstancePort): Promise<void> {
    const listener = await this.open(at);
    this.#listeners.delete(listener);
    listener.close();
    await once(listener, "close");
  }

  /** Opens it as soon as it is free. */
  openWhenFree(at: InstancePort): void {
    const listener = this.#listen(at);
    listener.once("error", () => {
      this.#listeners.delete(listener);
      this.#retry = this.#clock.after(retryMs, () => this.openWhenFree(at));
    });
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    for (const listener of this.#listeners) listener.close();
  }

  #listen(at: InstancePort): Server {
    // As `http.Server` has its own listener.
    const listener = ownServer(createServer({ allowHalfOpen: true, noDelay: true }, this.#give));
    if (this.#closed) return listener;
    this.#listeners.add(listener);
    return listener.listen({ ...at, exclusive: true });
  }
}
