import type { Sighting } from "../../cluster/cluster-watch.ts";
import { ask, ControlError } from "../../control/control-client.ts";
import type { ControlAddress } from "../../control/control-directory.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { LbError } from "../../model/errors.ts";
import type { OutputLine } from "../../model/output-line.ts";
import type { News } from "./known.ts";

export interface FeedOptions {
  /** The cluster that is watched first. */
  readonly address: ControlAddress;
  /** Where it is now; rejects while it is nowhere. */
  readonly find: (name: string) => Promise<ControlAddress>;
  readonly heard: (news: News) => void;
  readonly clock: Clock;
}

/** A primary tells something every second. */
const silentMs = 4_000;
const againMs = 1_000;
/** Lines that are asked for of those that were before. */
const earlierLines = 500;

/** Follows a cluster, and finds it again when it was gone. */
export class Feed {
  readonly #options: FeedOptions;
  #connection = new AbortController();
  #retry: Timer | undefined;
  #address: ControlAddress;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#follow(options.address);
  }

  /** Who is to be asked for anything. */
  get address(): ControlAddress {
    return this.#address;
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#connection.abort();
  }

  #follow(address: ControlAddress): void {
    const { heard, clock } = this.#options;
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    this.#address = address;
    const silence = () => clock.after(silentMs, () => heard({ kind: "lost", why: "does not answer", at: clock.now() }));
    let silent = silence();
    const told = (event: unknown) => {
      silent.cancel();
      silent = silence();
      heard({ kind: "sighting", sighting: event as Sighting });
    };
    ask({ path: address.path, command: "watch", argument: {}, told, signal })
      .catch((error: unknown) => error)
      .then((error) => {
        silent.cancel();
        if (!this.#closed) this.#lost(error);
      });
    this.#followLines(address.path, signal);
  }

  #followLines(path: string, signal: AbortSignal): void {
    const { heard } = this.#options;
    let [waiting, anew]: [OutputLine[], boolean] = [[], true];
    const told = (event: unknown) => {
      // What comes in one piece is told in one.
      if (waiting.push(event as OutputLine) > 1) return;
      setImmediate(() => {
        heard({ kind: "lines", lines: waiting, anew });
        [waiting, anew] = [[], false];
      });
    };
    ask({ path, command: "logs", argument: { lines: earlierLines, follow: true }, told, signal }).catch((error) => {
      if (error instanceof ControlError && error.code === "LB_NO_OUTPUT")
        heard({ kind: "no-lines", why: error.message });
      // One that reads too slowly is cut, and may come again.
      else if (!signal.aborted)
        this.#options.clock.after(againMs, () => signal.aborted || this.#followLines(path, signal));
    });
  }

  #lost(error: unknown): void {
    const { heard, clock } = this.#options;
    this.#connection.abort();
    const refused = error instanceof LbError && error.code !== "LB_CONTROL_LOST";
    heard({ kind: "lost", why: refused ? error.message : "is gone", at: clock.now() });
    this.#again();
  }

  /** One of its name, whatever process it is now. */
  #again(): void {
    const { find, clock } = this.#options;
    const look = () =>
      find(this.#address.name).then(
        (address) => this.#closed || this.#follow(address),
        () => this.#closed || this.#again(),
      );
    this.#retry = clock.after(againMs, () => void look(), { keepAlive: true });
  }
}
