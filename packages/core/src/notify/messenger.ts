import type { AlertMessage } from "../model/alert.ts";
import { LbError } from "../model/errors.ts";

/** Brings messages to one target. */
export interface Messenger {
  /** What it is called where it is told of; without secrets, which paths of webhooks are as well. */
  readonly name: string;
  /**
   * Resolves when the target has taken it. When `signal` is aborted nothing of it goes on.
   *
   * @throws DeliveryError, or whatever the target's own code throws
   */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
}

/** A target did not take a message. */
export class DeliveryError extends LbError {
  /** It would not take it later either. */
  readonly isFinal: boolean;

  constructor(
    message: string,
    { isFinal = false, cause }: { readonly isFinal?: boolean; readonly cause?: unknown } = {},
  ) {
    super("LB_ALERT_DELIVERY", message, cause === undefined ? undefined : { cause });
    this.isFinal = isFinal;
  }
}
