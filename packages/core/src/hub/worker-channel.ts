import { Listeners } from "../model/listeners.ts";
import type { BatchedOutput } from "./batched-output.ts";
import { channelStore } from "./channel-store.ts";
import type { PrimaryControl } from "./control.ts";
import { backlogError, HubError } from "./errors.ts";
import { byteLength, checkFrame, type Payload } from "./gathered-frames.ts";
import type { HubChannel, HubStore, Replay } from "./hub-channel.ts";
import { FrameOffset, readCount } from "./hub-frame.ts";
import { maxQueuedBytes } from "./limits.ts";
import { channelNumber, endpointIdOf, instanceNumber } from "./numbers.ts";
import type { Reply } from "./pending-requests.ts";
import { type Position, retainedPosition } from "./position.ts";
import { Operation } from "./requests.ts";
import { readRetainedFrame, readRetainedFrames } from "./retained-frames.ts";
import type { RetentionSettings } from "./retained-log.ts";
import { type RetainedMessage, RetainedReplica } from "./retained-replica.ts";
import type { WorkerHub } from "./worker-hub.ts";

type State =
  /** What is sent waits behind the request to join; retained messages wait here, if they were asked for again. */
  | { readonly kind: "joining"; readonly again: boolean }
  | { readonly kind: "joined" }
  /** Retained messages that were missed are on their way; those that come meanwhile wait. */
  | { readonly kind: "catching-up"; readonly waiting: (() => void)[] }
  | { readonly kind: "over"; readonly error: HubError };

/** The worker's side of a channel. */
export class WorkerChannel implements HubChannel {
  readonly name: string;
  readonly number: number;
  readonly store: HubStore;
  readonly #hub: WorkerHub;
  readonly #instance: number;
  readonly #replica: RetainedReplica | undefined;
  readonly #members = new Set<string>();
  readonly #messages = new Listeners<{ readonly payload: Buffer; readonly from: string }>();
  readonly #retained = new Listeners<RetainedMessage>();
  readonly #joins = new Listeners<string>();
  readonly #leaves = new Listeners<string>();
  readonly #gaps = new Listeners<void>();
  readonly #ready: Promise<void>;
  #settleReady: { readonly resolve: () => void; readonly reject: (error: HubError) => void } | undefined;
  #state: State = { kind: "joining", again: false };
  #older: Promise<void> | undefined;
  #position: string | undefined;

  constructor(name: string, hub: WorkerHub, retention: RetentionSettings | undefined) {
    this.name = name;
    this.number = channelNumber(name);
    this.#hub = hub;
    this.#instance = instanceNumber(hub.endpointId)!;
    this.#replica = retention && new RetainedReplica(retention, hub.endpointId);
    this.store = channelStore(name, hub);
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Whoever does not ask is told by the next call.
    this.#ready.catch(() => {});
  }

  get self(): string {
    return this.#hub.endpointId;
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  members(): readonly string[] {
    return [...this.#members];
  }

  publish(payload: Payload): void {
    const output = this.#output();
    output.batch.message(this.number, this.#instance, payload);
    output.schedule();
  }

  send(to: string, payload: Payload): void {
    const output = this.#output();
    const instance = instanceNumber(to);
    if (instance === undefined) return;
    output.batch.direct(this.number, this.#instance, instance, payload);
    output.schedule();
  }

  retain(payload: Payload): RetainedMessage {
    const output = this.#output();
    const replica = this.#keeping();
    checkFrame(FrameOffset.retainedPayload, byteLength(payload));
    const state = this.#state;
    const waits = state.kind === "catching-up" || (state.kind === "joining" && state.again);
    if (waits && replica.unnumberedBytes > maxQueuedBytes) throw backlogError();
    const message = replica.addOwn(payload);
    this.#position = undefined;
    if (!waits) this.#sendRetained(message, output);
    return message;
  }

  position(): string {
    this.#position ??= retainedPosition.format(this.#keeping().position);
    return this.#position;
  }

  async replay(text: string): Promise<Replay> {
    const replica = this.#keeping();
    const position = retainedPosition.parse(text);
    if (position === undefined) return { complete: false };
    await this.#ready;
    if (position.sequence < replica.floor) await this.#fetchOlder(replica);
    return this.#replayNow(replica, position);
  }

  onMessage(listener: (payload: Buffer, from: string) => void): () => void {
    return this.#messages.add(({ payload, from }) => listener(payload, from));
  }

  onRetained(listener: (message: RetainedMessage) => void): () => void {
    return this.#retained.add(listener);
  }

  onJoin(listener: (endpointId: string) => void): () => void {
    return this.#joins.add(listener);
  }

  onLeave(listener: (endpointId: string) => void): () => void {
    return this.#leaves.add(listener);
  }

  onGap(listener: () => void): () => void {
    return this.#gaps.add(listener);
  }

  close(): void {
    if (this.#state.kind === "over") return;
    this.#hub.leave(this.name);
    this.#hub.closed(this);
    this.end(new HubError("LB_HUB_CHANNEL", `The channel "${this.name}" was closed.`));
  }

  /** The connection is new: asks to be let in, first of all that is sent. */
  join(output: BatchedOutput, again: boolean): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "joining", again };
    const retention = this.#replica?.settings;
    output.batch.control({ kind: "join", name: this.name, ...(retention && { retention }) });
  }

  /** Nothing comes any more. Whoever waited for other members need not. */
  end(error: HubError): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "over", error };
    this.#settleReady?.reject(error);
    const members = [...this.#members];
    this.#members.clear();
    tell(this.#leaves, members);
  }

  told(control: PrimaryControl): void {
    switch (control.kind) {
      case "joined":
        this.#joined(control.members, control.sequence);
        return;
      case "refused":
        this.end(new HubError("LB_HUB_CHANNEL", `The channel "${this.name}" is refused: ${control.reason}.`));
        return;
      case "member":
        if (control.present) this.#add(control.endpointId);
        else this.#remove(control.endpointId);
        return;
    }
  }

  message(bytes: Buffer, start: number, end: number, headBytes: number): void {
    if (this.#state.kind === "over") return;
    const from = endpointIdOf(readCount(bytes, start + FrameOffset.from));
    tell(this.#messages, [{ payload: bytes.subarray(start + headBytes, end), from }]);
  }

  retainedFrame(bytes: Buffer, start: number, end: number): void {
    this.#inOrder(() => this.#takeIn(readRetainedFrame(bytes, start, end)));
  }

  acknowledged(bytes: Buffer, start: number): void {
    const numbered = {
      entries: bytes.readUInt32BE(start + FrameOffset.entries),
      count: readCount(bytes, start + FrameOffset.lastCount),
      sequence: readCount(bytes, start + FrameOffset.lastSequence),
    };
    this.#inOrder(() => {
      this.#replica?.number(numbered, this.#hub.clock.now());
      this.#position = undefined;
    });
  }

  #output(): BatchedOutput {
    if (this.#state.kind === "over") throw this.#state.error;
    return this.#hub.output();
  }

  #keeping(): RetainedReplica {
    if (this.#replica !== undefined) return this.#replica;
    const remedy = 'Give the option "retention" where the channel is made first.';
    throw new HubError("LB_HUB_CHANNEL", `The channel "${this.name}" retains nothing. ${remedy}`);
  }

  #sendRetained({ count, payload }: RetainedMessage, output: BatchedOutput): void {
    output.batch.retained(this.number, this.#instance, count, payload);
    output.schedule();
  }

  #joined(members: readonly string[], sequence: number): void {
    if (this.#state.kind !== "joining") return;
    const { again } = this.#state;
    const present = new Set(members.filter((endpointId) => endpointId !== this.self));
    for (const endpointId of this.#members) if (!present.has(endpointId)) this.#remove(endpointId);
    for (const endpointId of present) this.#add(endpointId);
    if (again) tell(this.#gaps, [undefined]);
    if (again && this.#replica !== undefined) {
      void this.#catchUp(this.#replica, sequence);
      return;
    }
    this.#replica?.begin(sequence);
    this.#position = undefined;
    this.#state = { kind: "joined" };
    this.#settleReady?.resolve();
  }

  /** The connection broke: what is missing up to the moment of the new one is asked for, the rest waits for it. */
  async #catchUp(replica: RetainedReplica, to: number): Promise<void> {
    const waiting: (() => void)[] = [];
    const state: State = { kind: "catching-up", waiting };
    this.#state = state;
    let reply: Reply | undefined;
    while (reply === undefined) {
      try {
        reply = await this.#hub.request(Operation.replay, [this.number, replica.sequence, to], "");
      } catch (error) {
        // If the connection broke again, catching up begins anew with the next one.
        if (this.#state !== state || (error as HubError).code !== "LB_HUB_TIMEOUT") return;
      }
    }
    if (this.#state !== state) return;
    const [floor = to] = reply.numbers(1);
    if (floor > replica.sequence) replica.begin(floor);
    for (const message of readRetainedFrames(reply.payload(1))) {
      if (message.from === this.self) replica.number({ ...message, entries: 1 }, this.#hub.clock.now());
      else this.#takeIn(message);
    }
    this.#position = undefined;
    this.#state = { kind: "joined" };
    for (const take of waiting) take();
    const output = this.#output();
    for (const message of replica.unnumbered) this.#sendRetained(message, output);
    this.#settleReady?.resolve();
  }

  #inOrder(take: () => void): void {
    switch (this.#state.kind) {
      case "joined":
        take();
        return;
      case "catching-up":
        this.#state.waiting.push(take);
        return;
      case "joining":
      case "over":
        return;
    }
  }

  #takeIn(message: RetainedMessage): void {
    // A copy, since a message of a few bytes would keep all that was read with it.
    this.#replica?.add({ ...message, payload: Buffer.from(message.payload) }, this.#hub.clock.now());
    this.#position = undefined;
    tell(this.#retained, [message]);
  }

  #replayNow(replica: RetainedReplica, position: Position): Replay {
    const own = replica.position;
    const ahead = position.sequence > own.sequence || (position.at === own.at && position.count > own.count);
    if (ahead || position.sequence < replica.floor) return { complete: false };
    return { complete: true, messages: [...replica.after(position)] };
  }

  /** What was retained before this instance came, once. */
  #fetchOlder(replica: RetainedReplica): Promise<void> {
    this.#older ??= this.#hub.request(Operation.replay, [this.number, 0, replica.floor], "").then(
      (reply) => {
        const messages = readRetainedFrames(reply.payload(1));
        // What has been forgotten here since then leaves a hole, and what is before a hole is of no use.
        if (messages.at(-1)?.sequence === replica.floor) replica.prepend(messages, this.#hub.clock.now());
      },
      (error: unknown) => {
        this.#older = undefined;
        throw error;
      },
    );
    return this.#older;
  }

  #add(endpointId: string): void {
    if (this.#members.has(endpointId)) return;
    this.#members.add(endpointId);
    tell(this.#joins, [endpointId]);
  }

  #remove(endpointId: string): void {
    if (this.#members.delete(endpointId)) tell(this.#leaves, [endpointId]);
  }
}

/** What a listener throws is thrown where nobody catches it, and harms nothing of ours. */
function tell<Event>(listeners: Listeners<Event>, events: readonly Event[]): void {
  try {
    listeners.emit(events);
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
