import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { maxNoticeLength, maxNotices, type StartNotice } from "../ipc/messages.ts";
import type { Listened } from "./listen/interception.ts";

/** Node publishes here each process that is started. */
const processChannel = "child_process";

/** Tells the primary what a program does in its start, which may be why it never is ready. */
export class StartNotices {
  readonly #tell: (notice: StartNotice) => void;
  #left = maxNotices;

  constructor(tell: (notice: StartNotice) => void) {
    this.#tell = tell;
    subscribe(processChannel, this.#started);
  }

  listened({ protocol, port }: Listened): void {
    this.#say({ kind: "listens", protocol, at: port === undefined ? "a path of its own" : `port ${port}` });
  }

  stop(): void {
    this.#left = 0;
    unsubscribe(processChannel, this.#started);
  }

  readonly #started = (message: unknown) => {
    const { process: child } = message as { readonly process?: { readonly spawnargs?: unknown } };
    // What was started is known a moment later.
    queueMicrotask(() => {
      const { spawnargs } = child ?? {};
      if (!Array.isArray(spawnargs)) return;
      this.#say({ kind: "runs", command: spawnargs.join(" ").slice(0, maxNoticeLength) });
    });
  };

  #say(notice: StartNotice): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    this.#tell(notice);
  }
}
