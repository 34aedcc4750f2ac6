import type { ChildProcess } from "node:child_process";
import { internalEvent } from "../ipc/internal-message.ts";
import { LbError } from "../model/errors.ts";

/** What Node reads the channel with. */
interface ChannelHandle {
  readonly bytesRead: number;
  onread(...given: unknown[]): void;
}

/** Of one message. Node keeps it whole, so without an end it would grow for ever. */
const maxMessageBytes = 67_108_864;

/**
 * The channel between primary and worker is Node's, and Node trusts whoever is at its other end: an acknowledgement that nobody
 * waits for, or bytes that are no JSON, throw where nobody can catch it, in the process that reads them. Any app can send such,
 * so what Node does with them is guarded here. `broken` is called once, and nothing is read after it.
 *
 * Reaches into Node where it must; a version that has nothing there is not guarded in that part.
 */
export function guardChannel(child: ChildProcess, broken: (error: LbError) => void): void {
  let intact = true;
  const fail = (why: string, cause?: unknown) => {
    intact = false;
    broken(new LbError("LB_CHANNEL_BROKEN", `It wrote to its channel what Node.js cannot read: ${why}.`, { cause }));
  };
  const guarded =
    (read: (...given: unknown[]) => void) =>
    (...given: unknown[]): void => {
      if (!intact) return;
      try {
        read(...given);
      } catch (error) {
        const { code, name } = error as NodeJS.ErrnoException;
        fail(code ?? name, error);
      }
    };
  // Those that are there by now are Node's own.
  for (const listener of child.listeners(internalEvent)) {
    child.off(internalEvent, listener as () => void);
    child.on(internalEvent, guarded(listener.bind(child) as () => void));
  }
  const handle = handleOf(child);
  if (handle === undefined) return;
  let readBefore = 0;
  const messageEnded = () => {
    readBefore = handle.bytesRead;
  };
  child.on("message", messageEnded);
  child.on(internalEvent, messageEnded);
  const onread = handle.onread.bind(handle);
  handle.onread = guarded((...given) => {
    onread(...given);
    if (handle.bytesRead - readBefore > maxMessageBytes) fail(`a message of more than ${maxMessageBytes} bytes`);
  });
}

function handleOf(child: ChildProcess): ChannelHandle | undefined {
  const key = Object.getOwnPropertySymbols(child).find(({ description }) => description === "kChannelHandle");
  const handle = key && (child as unknown as { readonly [key: symbol]: Partial<ChannelHandle> | undefined })[key];
  const usable = typeof handle?.onread === "function" && typeof handle.bytesRead === "number";
  return usable ? (handle as ChannelHandle) : undefined;
}
