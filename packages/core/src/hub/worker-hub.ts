import type { Clock } from "../model/clock.ts";
import type { BatchedOutput } from "./batched-output.ts";
import type { Payload } from "./gathered-frames.ts";
import type { HubChannel } from "./hub-channel.ts";
import type { Reply } from "./pending-requests.ts";

/** What a channel needs of the connection that it shares with all others. */
export interface WorkerHub {
  readonly endpointId: string;
  readonly clock: Clock;
  /** Where frames are put. @throws HubError when nothing can be sent */
  output(): BatchedOutput;
  request(operation: number, numbers: readonly number[], payload: Payload): Promise<Reply>;
  /** Says that nobody here is on that channel any more, as long as somebody is there to hear it. */
  leave(name: string): void;
  /** Nothing is to reach this channel any more. */
  closed(channel: HubChannel): void;
}
