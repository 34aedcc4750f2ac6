import type { Socket } from "node:net";
import type { Lease } from "../../balancer/balancer.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled, type Outcome } from "../../model/outcome.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { HandoffContext, HandoffRefusal, HandoffTarget } from "./handoff-context.ts";
import type { HandoffLane, Traveller } from "./handoff-lane.ts";

/** Whose connection it is. */
export interface JourneyOwner {
  /** Nothing is read off it. */
  readonly socket: Socket;
  /** What is sent with the socket. */
  order(): object;
  /** Moves the connection's deadline, at which {@link Journey.expired} is to be called. */
  deadline(ms: number): void;
  /** It sets out for this one. */
  attempted(endpoint: Endpoint): void;
  /** No worker takes it; the connection is its owner's again. */
  refused(refusal: Omit<HandoffRefusal, "kind">): void;
  /** A worker has it. */
  arrived(): void;
}

const unreachable: Outcome = { kind: "failure", reason: "connect" };
const overdue: Outcome = { kind: "failure", reason: "timeout" };

/** A connection's way to a worker, from when somebody knows who should have it: it waits for one, and travels there. */
export class Journey implements Traveller {
  readonly #owner: JourneyOwner;
  readonly #request: RequestView;
  readonly #context: HandoffContext;
  #state: "waiting" | "travelling" | "over" = "waiting";
  /** Where it travels to. */
  #lane: HandoffLane | undefined;
  #lease: Lease | undefined;
  #tried: Set<Endpoint> | undefined;
  #leaveQueue: (() => void) | undefined;

  /** `request`: what the worker is chosen by. */
  constructor(owner: JourneyOwner, request: RequestView, context: HandoffContext) {
    this.#owner = owner;
    this.#request = request;
    this.#context = context;
  }

  begin(): void {
    this.#route();
  }

  /** The deadline has come. */
  expired(): void {
    if (this.#state !== "travelling") return;
    this.#release(overdue);
    this.#refuse({ status: 504, reason: "timeout" });
  }

  /** The connection is gone, or its owner's again. */
  end(): void {
    this.#state = "over";
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    this.#release(cancelled);
  }

  get socket(): Socket {
    return this.#owner.socket;
  }

  get givenUp(): boolean {
    return this.#state !== "travelling";
  }

  order(): object {
    return this.#owner.order();
  }

  arrived(): void {
    if (this.#state !== "travelling") return;
    this.#state = "over";
    this.#lane!.load.adopt(this.#lease!);
    this.#lease = undefined;
    this.#owner.arrived();
  }

  stranded(): void {
    if (this.#state !== "travelling") return;
    this.#exclude(this.#lane!);
    this.#release(unreachable);
    this.#route();
  }

  turnBack(): boolean {
    if (this.#context.belongsTo(this.#lane!, this.#request, this.#tried)) return false;
    this.#release(cancelled);
    this.#route();
    return true;
  }

  divert(): boolean {
    const from = this.#lane!;
    if (this.#context.staysWith(from, this.#request, this.#tried)) return false;
    const decision = this.#context.decide(this.#request, new Set(this.#tried).add(from.endpoint));
    if (decision.kind !== "target") return false;
    const { lane, lease } = decision;
    if (lane === from || !lane.offer(this)) {
      lease.release(cancelled);
      return false;
    }
    this.#release(cancelled);
    this.#lane = lane;
    this.#lease = lease;
    return true;
  }

  /** Asks for a worker until one takes it, one is to be waited for, or there is none. */
  #route(): void {
    for (;;) {
      const decision = this.#context.decide(this.#request, this.#tried);
      switch (decision.kind) {
        case "target":
          if (this.#setOut(decision)) return;
          break;
        case "refusal":
          this.#refuse(decision);
          return;
        case "wait":
          this.#wait();
          return;
        default:
          decision satisfies never;
      }
    }
  }

  /** False: nobody is there any more, and another decision is due. */
  #setOut({ lane, lease }: HandoffTarget): boolean {
    this.#state = "travelling";
    this.#lane = lane;
    this.#lease = lease;
    this.#owner.attempted(lane.endpoint);
    if (lane.offer(this)) {
      this.#owner.deadline(this.#context.settings.timeouts.responseMs);
      return true;
    }
    this.#release(cancelled);
    this.#exclude(lane);
    this.#context.workerGone(lane);
    return false;
  }

  #wait(): void {
    this.#state = "waiting";
    this.#owner.deadline(Number.POSITIVE_INFINITY);
    this.#leaveQueue = this.#context.wait(this.#request, (decision) => {
      this.#leaveQueue = undefined;
      if (decision.kind === "refusal") this.#refuse(decision);
      else if (!this.#setOut(decision)) this.#route();
    });
  }

  #refuse(refusal: Omit<HandoffRefusal, "kind">): void {
    this.#state = "over";
    this.#owner.refused(refusal);
  }

  #exclude(lane: HandoffLane): void {
    this.#tried ??= new Set();
    this.#tried.add(lane.endpoint);
  }

  #release(outcome: Outcome): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release(outcome);
  }
}
