import type { Payload } from "./gathered-frames.ts";
import type { RetainedMessage } from "./retained-replica.ts";

/** How much of what a channel retains is kept, in the primary and in each instance that is on the channel. */
export interface RetentionOptions {
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 16 MiB; at most 31 MiB. */
  readonly maxBytes?: number;
  /** Default 120,000; at most a day. */
  readonly maxAgeMs?: number;
}

export interface HubChannelOptions {
  /** Keeps the messages of `retain()`, so that `replay()` has them. Default: nothing is retained. */
  readonly retention?: RetentionOptions;
}

/** What was missed, if all of it is still there. */
export type Replay =
  | { readonly complete: true; readonly messages: readonly RetainedMessage[] }
  /** It reaches further back than what is kept, or the position is none of this channel's. */
  | { readonly complete: false };

/**
 * Bytes under keys, for a time, in the primary: they survive the instance that put them there. All channels together hold
 * 200,000 keys and 128 MiB; beyond that, what would expire first goes first.
 */
export interface HubStore {
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void>;
  get(key: string): Promise<Buffer | undefined>;
  /** Gets it and removes it; of several who ask at the same time one gets it. */
  take(key: string): Promise<Buffer | undefined>;
  /** Sets it if `expected` is there, and says whether it was; of several who do so at the same time it is for one. */
  replace(key: string, expected: Uint8Array, value: Uint8Array, ttlMs: number): Promise<boolean>;
}

/**
 * A name by which instances of one cluster talk to one another, through the primary. Instances are told by their endpoint
 * ids, such as `"2.1"`: a worker that takes the place of another has a new one.
 *
 * What one instance sends to another arrives once and in order, as long as both live and read. An instance that does not
 * read until 64 MiB wait for it is cut off; it connects again, and `onGap` says that there it may have missed something.
 *
 * Calls that send throw a {@link HubError}: `LB_HUB_LOST` when the primary is gone, `LB_HUB_BACKLOG` when it does not
 * read, `LB_HUB_FRAME` for more than 32 MiB, `LB_HUB_CHANNEL` when the channel is closed or was refused. Promises reject
 * with one of these, with `LB_HUB_CUT` or, after 10 seconds, with `LB_HUB_TIMEOUT`: none stays pending.
 *
 * Every listener's registration returns the call that takes it back.
 */
export interface HubChannel {
  readonly name: string;
  /** The endpoint id of this instance. */
  readonly self: string;
  /** Resolves when this instance is on the channel and knows who else is. */
  ready(): Promise<void>;
  /** The other instances that are on the channel now. */
  members(): readonly string[];
  /** Sends to all other members. Bytes given here are the channel's: do not change them afterwards. */
  publish(payload: Payload): void;
  /** Sends to one member. Whoever has left by then gets nothing; `onLeave` tells. */
  send(to: string, payload: Payload): void;
  onMessage(listener: (payload: Buffer, from: string) => void): () => void;
  onJoin(listener: (endpointId: string) => void): () => void;
  /** Told as soon as the member's connection to the primary has ended, after everything that it sent. */
  onLeave(listener: (endpointId: string) => void): () => void;
  /** The connection broke and stands again; messages of `publish` and `send` may be missing. Retained ones are not. */
  onGap(listener: () => void): () => void;
  /**
   * Sends to all other members and keeps it for `replay()`. Everybody sees the messages of others in one order; the
   * sender is given its own back by `replay()` alone. Nothing of it is lost when connections break.
   */
  retain(payload: Payload): RetainedMessage;
  onRetained(listener: (message: RetainedMessage) => void): () => void;
  /**
   * What this instance has seen of the retained messages up to now, its own included; see `retainedPosition`. Meaningful
   * at every instance, and for as long as the cluster lives.
   */
  position(): string;
  /** What was retained after `position`, up to the moment when the promise resolves. Anything may be given. */
  replay(position: string): Promise<Replay>;
  readonly store: HubStore;
  /** Leaves the channel. */
  close(): void;
}
