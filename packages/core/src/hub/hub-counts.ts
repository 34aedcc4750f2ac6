/** What has passed between instances through the primary. Plain JSON; but for `channels`, never goes back. */
export interface HubCounts {
  /** Messages that instances sent: to a channel, to one of its members, or to be kept. */
  readonly messages: number;
  /** What came from them in all, and what went to them; a message goes to each member of its channel. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** That there are now. */
  readonly channels: number;
}
