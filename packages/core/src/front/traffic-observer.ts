import type { RequestCounts } from "../facts/request-counts.ts";
import type { AnswerReason } from "../http/answer-reason.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { SentLines } from "../ipc/handoff-messages.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { HandshakeFailure } from "../model/handshake-failure.ts";
import type { NegotiatedTls } from "../model/negotiated-tls.ts";
import type { RetryCause } from "../model/retry-policy.ts";
import type { UntrustedError } from "../tls/untrusted.ts";

/** A client's connection, as it is told of. */
export interface ObservedClient {
  /** The peer's address; a request's client may be another one behind it. */
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  /** What was agreed on for that. */
  readonly tls?: NegotiatedTls | undefined;
  /** Which of the public listeners it came in at, counted from 0. */
  readonly listener: number;
  /** It speaks HTTP/2. Absent: not. */
  readonly http2?: boolean;
}

/** Why a connection was turned away: as many as may be are open, to one address, or in this process. */
export type ConnectionRefusal =
  | { readonly reason: "connections"; readonly limit: number }
  | { readonly reason: "connections-per-address"; readonly limit: number; readonly remoteAddress: string }
  /** So many of the process's file descriptors are in use. */
  | { readonly reason: "descriptors"; readonly limit: number };

/** An endpoint was asked. Its times are milliseconds since the request's head was complete. */
export interface TracedTry {
  readonly endpoint: Endpoint;
  /** By which it was told of its parent. */
  readonly spanId: string;
  readonly startedMs: number;
  /** When it came to nothing, and why. Undefined: it did not. */
  readonly failedMs: number | undefined;
  readonly cause: RetryCause | undefined;
}

/**
 * A request and what became of it. Its times are milliseconds since its head was complete; undefined for what did not come to
 * pass. The object is used again: whoever keeps something of it takes a copy.
 */
export interface FinishedRequest {
  readonly client: ObservedClient;
  /** With the route that it took. */
  readonly request: RequestHead;
  /** Of the response that the client got, or the beginning of it. Undefined: it got none. */
  readonly status: number | undefined;
  readonly answeredBy: "app" | "front" | "nobody";
  /** Why the front has. */
  readonly reason: AnswerReason | undefined;
  /**
   * - `complete`;
   * - `tunnel`: it became one, and `tunnelEnded` follows;
   * - `cut`: the client got the beginning of a response whose end did not come;
   * - `client-left`: before its response was complete.
   */
  readonly end: "complete" | "tunnel" | "cut" | "client-left";
  /** Where it was tried, the one that answered last. */
  readonly endpoint: Endpoint | undefined;
  /** Endpoints that were asked, 0 if none was. */
  readonly attempts: number;
  /** Of one that is sampled: each of them, in order. Undefined: it is not, or none was asked. */
  readonly tries: readonly TracedTry[] | undefined;
  /** Heads and framing included, but over HTTP/2, where heads are compressed: of a response its body alone. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** By the front's clock. */
  readonly startedAt: number;
  /** How much of the time it waited for an endpoint, or for others of its route to end. */
  readonly queuedMs: number;
  /** An endpoint was found for the last attempt: until then the request waited, or was tried elsewhere. */
  readonly leasedMs: number | undefined;
  /** The head of the response that was passed on. */
  readonly respondedMs: number | undefined;
  readonly endedMs: number;
}

/** A tunnel that is over. What it was asked for by has been told as a request. */
export interface EndedTunnel {
  readonly client: ObservedClient;
  readonly request: RequestHead;
  readonly endpoint: Endpoint;
  /** Since it was opened, in milliseconds. */
  readonly openMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Told of all that passes through a front. Whoever counts, logs, traces or alerts listens here, and nobody else is told.
 * What it has no method for costs nothing; what it has one for must neither throw nor take long.
 *
 * In hand-off mode the front sees a connection until a worker has it, so that `requestFinished` tells of those requests
 * alone which the front answered.
 */
export interface TrafficObserver {
  /** `returned`: it was told of before, and comes back from a worker. */
  connectionOpened?(client: ObservedClient, returned: boolean): void;
  /** `wasTunnel`: bytes passed unread at its end. In hand-off mode it may be open still, in a worker. */
  connectionClosed?(client: ObservedClient, wasTunnel: boolean): void;
  connectionRefused?(refusal: ConnectionRefusal, listener: number): void;
  /** A connection was closed at once: its client is on the deny list. */
  connectionDenied?(remoteAddress: string, listener: number): void;
  /** A connection could not be accepted, e.g. for want of file descriptors (`EMFILE`). Accepting goes on. */
  acceptFailed?(error: Error): void;
  /** Handshakes of TLS were made; `resumed`: they went on with an earlier session. */
  handshakesMade?(kind: "full" | "resumed", times: number, listener: number): void;
  /** With TLS: so many connections came to nothing before a request could. */
  handshakeFailed?(reason: HandshakeFailure, times: number, listener: number): void;
  /** A connection of HTTP/2 was ended: what its client did costs more than it is worth. */
  floodStopped?(client: ObservedClient): void;
  requestFinished?(finished: FinishedRequest): void;
  tunnelEnded?(tunnel: EndedTunnel): void;
  /** In place of a request something came that is none, or not all of one in time, and was answered with this status. */
  headRefused?(client: ObservedClient, status: number, reason: AnswerReason): void;
  /** In hand-off mode: what a worker has counted of the requests on its connections since it last told. */
  requestsReported?(endpoint: Endpoint, counts: RequestCounts): void;
  /** In hand-off mode: what a worker has to say of them for the access log. */
  linesReported?(endpoint: Endpoint, lines: SentLines): void;
  /** In hand-off mode: so many connections are open at a worker now, and so many of them are tunnels. */
  openReported?(endpoint: Endpoint, open: { readonly connections: number; readonly tunnels: number }): void;
  /** The front answered in place of the app. Also for what is no request at all, as its status says. */
  answered?(status: number): void;
  /** An attempt came to nothing, and another is made. */
  retried?(endpoint: Endpoint, cause: RetryCause): void;
  /** What an endpoint sent is no response. */
  responseInvalid?(endpoint: Endpoint): void;
  /** An endpoint could not show that it is the one that was meant, and was given nothing. */
  endpointUntrusted?(endpoint: Endpoint, error: UntrustedError): void;
  /** A worker passed so many requests of its connections on to others, where they belong. */
  requestsRelayed?(endpoint: Endpoint, requests: number): void;
  /** A worker said something about its connections that is no message. */
  messageDropped?(endpoint: Endpoint): void;
  /** Once: connections cannot be given back by the workers' Node, so they are closed where they would have moved. */
  connectionsCannotMove?(detail: string): void;
}

/** All of them as one, with the methods that any of them has. */
export function observedByAll(observers: readonly TrafficObserver[]): TrafficObserver {
  const all: Record<string, (...told: unknown[]) => void> = {};
  for (const name of observations) {
    const listeners = observers.flatMap((observer) => {
      const listener = observer[name] as ((...told: unknown[]) => void) | undefined;
      return listener === undefined ? [] : [listener.bind(observer)];
    });
    if (listeners.length === 1) all[name] = listeners[0]!;
    else if (listeners.length > 1) {
      all[name] = (...told) => {
        for (const listener of listeners) listener(...told);
      };
    }
  }
  return all;
}

/** Whole: what misses here, or is none, does not compile. */
const observations = Object.keys({
  connectionOpened: true,
  connectionClosed: true,
  connectionRefused: true,
  connectionDenied: true,
  acceptFailed: true,
  handshakesMade: true,
  handshakeFailed: true,
  floodStopped: true,
  requestFinished: true,
  tunnelEnded: true,
  headRefused: true,
  requestsReported: true,
  linesReported: true,
  openReported: true,
  answered: true,
  retried: true,
  responseInvalid: true,
  endpointUntrusted: true,
  requestsRelayed: true,
  messageDropped: true,
  connectionsCannotMove: true,
} satisfies Record<keyof TrafficObserver, true>) as (keyof TrafficObserver)[];
