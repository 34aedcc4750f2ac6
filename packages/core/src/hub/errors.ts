import { LbError } from "../model/errors.ts";
import { maxQueuedBytes } from "./limits.ts";

/**
 * Something between an instance and its primary.
 * - `LB_HUB_NO_INSTANCE`: this process is no instance of a cluster, or `cluster()` has not been called yet;
 * - `LB_HUB_LOST`: the primary is gone;
 * - `LB_HUB_CUT`: the connection broke while an answer was awaited, and it may or may not have been done;
 * - `LB_HUB_TIMEOUT`: the primary did not answer in time;
 * - `LB_HUB_BACKLOG`: the primary does not read, and more than the bound waits for it already;
 * - `LB_HUB_FRAME`: a message is larger than a frame may be;
 * - `LB_HUB_CHANNEL`: the primary refused the channel, or it was closed;
 * - `LB_HUB_PROTOCOL`: bytes arrived that this version does not understand.
 */
export class HubError extends LbError {}

export function backlogError(): HubError {
  const message = `More than ${maxQueuedBytes} bytes wait for the primary, which does not read: send less, or later.`;
  return new HubError("LB_HUB_BACKLOG", message);
}
