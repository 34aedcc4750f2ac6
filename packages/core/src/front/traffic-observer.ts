import type { RequestHead } from "../http/request-head.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { HandshakeFailure } from "../model/handshake-failure.ts";
import type { RetryCause } from "../model/retry-policy.ts";
import type { UntrustedError } from "../tls/untrusted.ts";

/** A client's connection, as it is told of. */
export interface ObservedClient {
  /** The peer's address; a request's client may be another one behind it. */
  readonly remoteAddress: string;
  readonly encrypted: boolean;
}

/** Why a connection was turned away: as many as may be are open, to one address, or in this process. */
export type ConnectionRefusal =
  | { readonly reason: "connections"; readonly limit: number }
  | { readonly reason: "connections-per-address"; readonly limit: number; readonly remoteAddress: string }
  /** So many of the process's file descriptors are in use. */
  | { readonly reason: "descriptors"; readonly limit: number };

/** A request and what became of it. */
export interface FinishedRequest {
  readonly client: ObservedClient;
  readonly request: RequestHead;
  /** Of the response that the client got, or the beginning of it. Undefined: it got none. */
  readonly status: number | undefined;
  readonly answeredBy: "app" | "front" | "nobody";
  /**
   * - `complete`;
   * - `tunnel`: it became one, and its bytes are not seen any more;
   * - `cut`: the client got the beginning of a response whose end did not come;
   * - `client-left`: before its response was complete.
   */
  readonly end: "complete" | "tunnel" | "cut" | "client-left";
  /** Where it was tried, the one that answered last. */
  readonly endpoint: Endpoint | undefined;
  /** Endpoints that were asked, 0 if none was. */
  readonly attempts: number;
  /** Heads and framing included, but over HTTP/2, where heads are compressed: of a response its body alone. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly times: RequestTimes;
}

/** In milliseconds since the request's head was complete; undefined for what did not come to pass. */
export interface RequestTimes {
  /** By the front's clock. */
  readonly startedAt: number;
  /** An endpoint was found for the last attempt: until then the request waited, or was tried elsewhere. */
  readonly leasedMs: number | undefined;
  /** The head of the response that was passed on. */
  readonly respondedMs: number | undefined;
  readonly endedMs: number;
}

/**
 * Told of all that passes through a front. Whoever counts, logs, traces or alerts listens here, and nobody else is told.
 * What it has no method for costs nothing; what it has one for must neither throw nor take long.
 *
 * In hand-off mode the front sees a connection until a worker has it, so that `requestFinished` tells of those requests
 * alone which the front answered.
 */
export interface TrafficObserver {
  connectionOpened?(client: ObservedClient): void;
  /** `wasTunnel`: bytes passed unread at its end. In hand-off mode it may be open still, in a worker. */
  connectionClosed?(client: ObservedClient, wasTunnel: boolean): void;
  connectionRefused?(refusal: ConnectionRefusal): void;
  /** A connection was closed at once: its client is on the deny list. */
  connectionDenied?(remoteAddress: string): void;
  /** A connection could not be accepted, e.g. for want of file descriptors (`EMFILE`). Accepting goes on. */
  acceptFailed?(error: Error): void;
  /** With TLS: so many connections came to nothing before a request could. */
  handshakeFailed?(reason: HandshakeFailure, times: number): void;
  /** A connection of HTTP/2 was ended: what its client did costs more than it is worth. */
  floodStopped?(client: ObservedClient): void;
  requestFinished?(finished: FinishedRequest): void;
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
  handshakeFailed: true,
  floodStopped: true,
  requestFinished: true,
  answered: true,
  retried: true,
  responseInvalid: true,
  endpointUntrusted: true,
  requestsRelayed: true,
  messageDropped: true,
  connectionsCannotMove: true,
} satisfies Record<keyof TrafficObserver, true>) as (keyof TrafficObserver)[];
