import type { Socket } from "node:net";
import type { ForwardingFacts } from "../../http/forwarding.ts";
import { handshakeOrder } from "../../ipc/handoff-messages.ts";
import type { Expiring } from "../deadline-wheel.ts";
import { originOf } from "./connection-origin.ts";
import type { HandoffClient, HandoffContext } from "./handoff-context.ts";
import { stopReading } from "./handoff-socket.ts";
import { Journey, type JourneyOwner } from "./journey.ts";

const nothing = Buffer.alloc(0);

/**
 * A client's connection with TLS until a worker has it: nothing of it is read here, since the worker makes the handshake, and who
 * that is follows from nothing that a client says in one.
 */
export class UnreadConnection implements HandoffClient, JourneyOwner, Expiring {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly listener: number;
  readonly facts: ForwardingFacts;
  deadlineTick = 0;
  heldTick = 0;
  readonly socket: Socket;
  readonly #context: HandoffContext;
  /** What came behind the header of a proxy. */
  readonly #bytes: Buffer;
  readonly #journey: Journey;

  constructor(socket: Socket, facts: ForwardingFacts, context: HandoffContext) {
    this.socket = socket;
    this.#context = context;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.encrypted = facts.encrypted;
    this.listener = facts.listener ?? 0;
    stopReading(socket);
    this.#bytes = (socket.read() as Buffer | null) ?? nothing;
    // The close that follows says all there is to do.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    this.#journey = new Journey(this, { clientAddress: facts.peerAddress }, context);
    this.#journey.begin();
  }

  /** It is on its way, and drains where it arrives. */
  drain(): void {}

  destroy(): void {
    this.socket.destroy();
  }

  expired(): void {
    this.#journey.expired();
  }

  // As the owner of a journey.

  order(): object {
    return handshakeOrder(this.#bytes, originOf(this.facts));
  }

  deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  attempted(): void {}

  /** There is no way to answer yet. */
  refused(): void {
    this.destroy();
  }

  /** Ends our handle only: the connection goes on in the worker's. */
  arrived(): void {
    this.destroy();
  }

  #closed(): void {
    this.#context.wheel.clear(this);
    this.#journey.end();
    this.#context.connectionClosed(this);
  }
}
