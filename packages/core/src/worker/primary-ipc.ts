import { readPrimaryMessage, wrap } from "../ipc/envelope.ts";
import { internalEvent } from "../ipc/internal-message.ts";
import type { PrimaryMessage, WorkerMessage } from "../ipc/messages.ts";
import { contained } from "./agent-faults.ts";

export interface PrimaryIpcObserver {
  /** `handle`: the socket that came with it, if one did. */
  primaryMessage(message: PrimaryMessage, handle: unknown): void;
  /** The primary is gone, or cut us off. */
  primaryGone(): void;
}

/** The worker's end of the channel, on which the app's own `process.send` and `process.on("message")` go on beside it. */
export interface PrimaryIpc {
  /**
   * Resolves when the message has left. What cannot be sent is lost: the channel is closed then, and `primaryGone`
   * tells of it.
   */
  send(message: WorkerMessage): Promise<void>;
  /** Keeps the process alive until the primary ends it, or is gone. */
  hold(): void;
  /** Listens no more, so that the channel no longer keeps the process alive. */
  release(): void;
}

/** How Node counts those who listen on the channel (`internal/child_process.js`, `Control`). */
interface Unref {
  refCounted?(): void;
  unrefCounted?(): void;
}

export function openPrimaryIpc(endpointId: string, observer: PrimaryIpcObserver): PrimaryIpc {
  const receive = contained("a message of the primary", (raw: unknown, handle: unknown) => {
    const received = readPrimaryMessage(raw, endpointId);
    if (received.kind === "message") observer.primaryMessage(received.message, handle);
  });
  const gone = contained("the loss of the primary", () => observer.primaryGone());
  process.on(internalEvent as "message", receive);
  process.once("disconnect", gone);
  // That listener alone would keep a program alive which has nothing left to do.
  (process.channel as Unref | undefined)?.unrefCounted?.();
  // The primary may have died before anyone listened.
  if (!process.connected) setImmediate(gone);
  return {
    send(message) {
      return new Promise((resolve) => {
        if (process.send === undefined) resolve();
        else process.send(wrap(endpointId, message), undefined, undefined, () => resolve());
      });
    },
    hold() {
      (process.channel as Unref | undefined)?.refCounted?.();
    },
    release() {
      process.off(internalEvent as "message", receive);
      (process.channel as Unref | undefined)?.refCounted?.();
      process.off("disconnect", gone);
    },
  };
}
