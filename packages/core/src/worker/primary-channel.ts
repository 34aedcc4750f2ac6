import { readPrimaryMessage, wrap } from "../ipc/envelope.ts";
import { internalEvent } from "../ipc/internal-message.ts";
import type { PrimaryMessage, WorkerMessage } from "../ipc/messages.ts";
import { contained } from "./agent-faults.ts";

export interface PrimaryChannelObserver {
  primaryMessage(message: PrimaryMessage): void;
  /** The primary is gone, or cut us off. */
  primaryGone(): void;
}

/** The worker's end of the channel, on which the app's own `process.send` and `process.on("message")` go on beside it. */
export interface PrimaryChannel {
  /**
   * Resolves when the message has left. What cannot be sent is lost: the channel is closed then, and `primaryGone`
   * tells of it.
   */
  send(message: WorkerMessage): Promise<void>;
  /** Listens no more, so that the channel no longer keeps the process alive. */
  release(): void;
}

export function openPrimaryChannel(endpointId: string, observer: PrimaryChannelObserver): PrimaryChannel {
  const receive = contained("a message of the primary", (raw: unknown) => {
    const received = readPrimaryMessage(raw, endpointId);
    if (received.kind === "message") observer.primaryMessage(received.message);
  });
  const gone = contained("the loss of the primary", () => observer.primaryGone());
  process.on(internalEvent as "message", receive);
  process.once("disconnect", gone);
  // The primary may have died before anyone listened.
  if (!process.connected) setImmediate(gone);
  return {
    send(message) {
      return new Promise((resolve) => {
        if (process.send === undefined) resolve();
        else process.send(wrap(endpointId, message), undefined, undefined, () => resolve());
      });
    },
    release() {
      process.off(internalEvent as "message", receive);
      process.off("disconnect", gone);
    },
  };
}
