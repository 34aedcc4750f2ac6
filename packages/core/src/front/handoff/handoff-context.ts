import type { Lease } from "../../balancer/balancer.ts";
import type { AnswerReason } from "../../http/answer-reason.ts";
import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHeadParser } from "../../http/request-head.ts";
import type { ResponseRules } from "../../http/response-rules.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { DeadlineWheel } from "../deadline-wheel.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import type { HandoffLane } from "./handoff-lane.ts";

/** The worker to give a connection to. */
export interface HandoffTarget {
  readonly kind: "target";
  readonly lane: HandoffLane;
  /** Taken there for the connection's first request. */
  readonly lease: Lease;
}

export interface HandoffRefusal {
  readonly kind: "refusal";
  readonly status: number;
  readonly reason: AnswerReason;
  readonly retryAfterSeconds?: number;
}

/** `wait`: nobody can take it now; see {@link HandoffContext.wait}. */
export type HandoffDecision = HandoffTarget | HandoffRefusal | { readonly kind: "wait" };

/** What every connection that is to be handed off shares with the others of its front. */
export interface HandoffContext {
  readonly settings: FrontSettings;
  readonly wheel: DeadlineWheel;
  /** No connection stays open for long any more. */
  readonly draining: boolean;
  /** Those who may answer instead of the app. */
  readonly responders: readonly Responder[];
  /** What becomes of the fields of responses, of which there are but our own here. */
  readonly responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  /**
   * Reads heads that come in one piece, which are nearly all. Shared, since a connection needs it for no longer than the
   * call takes, and since it remembers the last head's lines: those of the next client are often the same.
   */
  readonly parser: RequestHeadParser;
  /** `tried`: endpoints that did not get this very request, as they refused it or died. */
  decide(request: RequestView, tried: ReadonlySet<Endpoint> | undefined): HandoffDecision;
  /** Whether nobody but this worker can answer the request. */
  belongsTo(lane: HandoffLane, request: RequestView, tried: ReadonlySet<Endpoint> | undefined): boolean;
  /**
   * Whether a request waits for a worker that takes nothing at the moment: it belongs there, or nobody else takes
   * anything either.
   */
  staysWith(lane: HandoffLane, request: RequestView, tried: ReadonlySet<Endpoint> | undefined): boolean;
  /** Calls `decided` once, in a later turn, unless the call that it returns is made before. */
  wait(request: RequestView, decided: (decision: HandoffTarget | HandoffRefusal) => void): () => void;
  /** The lane was found to be gone: its worker is not decided for any more. */
  workerGone(lane: HandoffLane): void;
  /** Open here no longer: closed, or handed off. */
  connectionClosed(client: HandoffClient): void;
}

/** A client's connection as its front sees it. */
export interface HandoffClient {
  readonly remoteAddress: string;
  readonly facts: ForwardingFacts;
  destroy(): void;
  /** Ends the connection if no request arrives within the grace for idle ones. */
  drain(): void;
}
