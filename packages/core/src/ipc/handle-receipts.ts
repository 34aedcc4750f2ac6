import { internalEvent } from "./internal-message.ts";

/** `lost`: the receiver had no descriptor left for it. */
export type HandleReceipt = "received" | "lost";

/** A process that handles are sent to, by what is used of it here. */
export interface HandleReceiver {
  on(event: "message", listener: (message: unknown) => void): unknown;
}

type Told = (receipt: HandleReceipt) => void;

/** Who awaits a receipt of which process, in the order in which their handles were sent. */
const awaiting = new WeakMap<HandleReceiver, Told[]>();

/**
 * To be called with each handle that is sent with `keepOpen`: Node sends them one after the other, whoever gave them, and
 * the receiver acknowledges each before any of its own code knows of it, so that what is not acknowledged was not
 * consumed. (Without `keepOpen` Node sends again what was lost, and the receipts could not be told apart.)
 */
export function expectReceipt(receiver: HandleReceiver, told: Told): void {
  const known = awaiting.get(receiver);
  if (known !== undefined) {
    known.push(told);
    return;
  }
  const queue = [told];
  awaiting.set(receiver, queue);
  receiver.on(internalEvent as "message", (message) => {
    const receipt = receiptOf(message);
    if (receipt !== undefined) queue.shift()?.(receipt);
  });
}

function receiptOf(message: unknown): HandleReceipt | undefined {
  switch ((message as { readonly cmd?: unknown } | null)?.cmd) {
    case "NODE_HANDLE_ACK":
      return "received";
    case "NODE_HANDLE_NACK":
      return "lost";
    default:
      return undefined;
  }
}
