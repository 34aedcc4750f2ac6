import type { AccessLogStatus } from "../access-log/access-log.ts";
import type { BalancerStatus } from "../balancer/status.ts";
import type { HealthState } from "../health/state.ts";
import type { AddressRange } from "../model/address-range.ts";
import type { CertificateFacts } from "../model/certificate-facts.ts";
import type { Challenges, IssuedCertificate } from "../model/challenges.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Http1Reach } from "../model/http1-reach.ts";
import type { InFlightStatus } from "../model/in-flight-status.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import type { QuarantinedRequest } from "../model/quarantined-request.ts";
import type { SlowRequests } from "../model/slow-requests.ts";
import type { Span } from "../model/span.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { SpanExportStatus } from "../tracing/span-export.ts";
import type { SentError } from "./sent-error.ts";

/** An endpoint, and how its app is reached. */
export interface ReachedEndpoint {
  readonly endpoint: Endpoint;
  /** By the link, on the endpoint's address; or by HTTP/1.1, as anybody else's program and an app that listens by itself. */
  readonly reach: { readonly kind: "link" } | ({ readonly kind: "http1" } & Http1Reach);
  /** Where its instance listens, for the field `X-Backend-Server`; of a named backend's, its URL. */
  readonly shownAs: string;
}

/**
 * What a plane is told. Endpoints are named by their ids, but where they come in. Those with an `id` are questions: one fact
 * `answer`, `captured`, `estate` or `failed` says that it is done.
 */
export type PlaneOrder =
  /** Open the public listeners. Requests wait until somebody can take them. Answered with where they are, in the order of the settings. */
  | { readonly kind: "listen"; readonly id: number }
  /** Accept from the sockets that were handed over, which "listen" has not begun. Answered when all do. */
  | { readonly kind: "accept"; readonly id: number }
  /** Answered by `estate`: what another plane needs to go on where this one is. */
  | { readonly kind: "tell-estate"; readonly id: number }
  /** Somebody else accepts from the same sockets, or not any more. */
  | { readonly kind: "share"; readonly shared: boolean }
  | {
      readonly kind: "roster";
      readonly taking: readonly ReachedEndpoint[];
      /** Get nothing but what nobody else can serve. */
      readonly lingering: readonly ReachedEndpoint[];
      /** Of those that left: they are silent, so that what waits for them may go elsewhere. */
      readonly silent: readonly string[];
    }
  /** These are the endpoints of a named backend from now on; the rest is as in `roster`, where they are instances of an app. */
  | {
      readonly kind: "backend";
      readonly backend: string;
      readonly endpoints: readonly ReachedEndpoint[];
      readonly lingering?: readonly ReachedEndpoint[];
      readonly silent?: readonly string[];
    }
  /** It is ended on somebody's order: what its death breaks off is not the fault of a request. */
  | { readonly kind: "doomed"; readonly endpoint: string }
  /** Its process has ended. */
  | { readonly kind: "ended"; readonly endpoint: string }
  /** An active health check came back. */
  | { readonly kind: "probed"; readonly endpoint: string; readonly up: boolean }
  /**
   * Of the requests, of the app or of this backend, this share goes to these, which need not be in the roster yet; without any the
   * trial is over.
   */
  | {
      readonly kind: "canary";
      readonly backend?: string;
      readonly endpoints: readonly ReachedEndpoint[];
      readonly share: number;
    }
  /** These addresses are kept out, for so long; without `forMs` for good. */
  | { readonly kind: "deny"; readonly range: AddressRange; readonly forMs?: number }
  /** This very range is not kept out any more. */
  | { readonly kind: "allow"; readonly range: AddressRange }
  /** Some instance, of the app or of this backend, has Engine.IO: where requests belong by their sessions, they do from now on. */
  | { readonly kind: "sessions"; readonly backend?: string }
  /** Answered when the certificates have been read anew. */
  | { readonly kind: "reread-certificates"; readonly id: number }
  /** Answered when handshakes get these, in place of those of the options. */
  | { readonly kind: "set-certificates"; readonly id: number; readonly certificates: readonly CertificateSettings[] }
  /** Answered when handshakes get this one, in place of the one that an authority gave before. */
  | { readonly kind: "use-certificate"; readonly id: number; readonly certificate: IssuedCertificate }
  /** Answered when certificate authorities are answered by these, and by no others. */
  | { readonly kind: "challenges"; readonly id: number; readonly challenges: Challenges }
  /** Answered when what the endpoint has in flight has been answered; tunnels are not waited for. */
  | { readonly kind: "settle"; readonly id: number; readonly endpoint: string }
  /** Answered when the endpoint has left the roster, and nothing is in flight on it. */
  | { readonly kind: "drain"; readonly id: number; readonly endpoint: string }
  /** Answered when the access log can be written, if there is one. */
  | { readonly kind: "open-access-log"; readonly id: number }
  /** Of sampled requests: a worker has made these spans, timed by the machine's monotonic clock, and had no room for so many. */
  | { readonly kind: "spans"; readonly spans: readonly Span[]; readonly dropped: number }
  /** What comes next goes to a new access log: the old one was moved away. */
  | { readonly kind: "reopen-access-log" }
  /** Answered by `captured`, after this time: the slowest requests, of this slot's instances or of all. */
  | { readonly kind: "capture"; readonly id: number; readonly ms: number; readonly slot?: number }
  /** Take nothing new, and let requests finish. Answered when nothing is open but tunnels, at the latest after `graceMs`. */
  | { readonly kind: "quiesce"; readonly id: number; readonly graceMs: number }
  /** Cut what is left. */
  | { readonly kind: "close"; readonly id: number };

/** What one plane leaves to another. */
export interface PlaneEstate {
  /** The descriptors of its listening sockets in its process, in the order of the settings; `null`: it cannot be handed over. */
  readonly descriptors: readonly (number | null)[];
  /** What tickets of TLS sessions are sealed with. Secret. */
  readonly ticketKeys: readonly string[];
}

/** What a plane tells. */
export type PlaneFact =
  | { readonly kind: "answer"; readonly id: number; readonly listeners?: readonly ListenerAddress[] }
  | { readonly kind: "failed"; readonly id: number; readonly error: SentError }
  | ({ readonly kind: "estate"; readonly id: number } & PlaneEstate)
  | { readonly kind: "captured"; readonly id: number; readonly captured: SlowRequests }
  | {
      readonly kind: "health";
      readonly endpoint: string;
      readonly slot: number;
      readonly from: HealthState;
      readonly to: HealthState;
    }
  /** Of an endpoint of a named backend. */
  | {
      readonly kind: "backend-health";
      readonly backend: string;
      /** Its URL. */
      readonly endpoint: string;
      readonly from: HealthState;
      readonly to: HealthState;
    }
  /** Its last request has ended, and it gets no more; these are its final counts if it has left the roster. */
  | {
      readonly kind: "drained";
      readonly endpoint: string;
      readonly slot: number;
      readonly requests: number;
      readonly failures: number;
    }
  /** The same of an endpoint of a named backend. */
  | {
      readonly kind: "backend-drained";
      readonly backend: string;
      readonly slot: number;
      readonly requests: number;
      readonly failures: number;
    }
  /** Its process or the channel to it is gone, which showed here first. */
  | { readonly kind: "lost"; readonly endpoint: string; readonly slot: number }
  /** It does not keep to the link's protocol. */
  | {
      readonly kind: "link-broken";
      readonly backend?: string;
      readonly endpoint: string;
      readonly slot: number;
      readonly error: SentError;
    }
  /** It sent what is no message. */
  | { readonly kind: "message-dropped"; readonly slot: number }
  | PlaneNotice;

/** What of its traffic is worth a line in the log. What comes in thousands is told now and then, with its number. */
export type PlaneNotice =
  | { readonly kind: "connections-refused"; readonly limit: number; readonly refused: number }
  | {
      readonly kind: "requests-refused";
      readonly reason: "queue-full" | "wait-timeout" | "overload";
      readonly refused: number;
      /** So many may be in flight now, of all, of this route, or of this backend; else no endpoint could take them. */
      readonly limit?: number;
      readonly route?: string;
      readonly backend?: string;
    }
  /** Connections were closed at once: their clients are on the deny list. */
  | { readonly kind: "connections-denied"; readonly denied: number }
  /** By `rateLimit`, of this route, or of all that have none of their own; in a dry run they passed all the same. */
  | { readonly kind: "requests-limited"; readonly route?: string; readonly dryRun: boolean; readonly limited: number }
  /** Requests like this one end their instances, and are kept from them for so long. */
  | ({ readonly kind: "request-quarantined" } & QuarantinedRequest)
  /** A limit's key function failed so often, last in this way; those requests were not limited. */
  | { readonly kind: "rate-limit-key-failed"; readonly error: SentError; readonly failed: number }
  /** Lines of the access log were lost, for want of room behind what could not be written, or by its own functions. */
  | { readonly kind: "access-log-dropped"; readonly error?: SentError; readonly dropped: number }
  /** Spans were lost: their receiver does not take them, or not as fast. */
  | { readonly kind: "spans-dropped"; readonly error?: SentError; readonly dropped: number }
  /** Connections of HTTP/2 were ended for what their clients did on them. */
  | { readonly kind: "floods-stopped"; readonly stopped: number }
  /** Connections were closed, because so many handshakes were under way. */
  | { readonly kind: "handshakes-refused"; readonly refused: number }
  /** Connections to an endpoint of a named backend were given up: it could not show that it is the one that was meant. */
  | {
      readonly kind: "endpoint-untrusted";
      readonly backend: string;
      readonly endpoint: string;
      readonly error: SentError;
      readonly refused: number;
    }
  | { readonly kind: "accept-failed"; readonly error: SentError }
  | { readonly kind: "cannot-move"; readonly detail: string }
  /** Their files had changed. */
  | { readonly kind: "certificates-renewed"; readonly certificates: readonly CertificateFacts[] }
  /** Their files have changed, and cannot be used; the old ones serve on. */
  | { readonly kind: "certificates-failed"; readonly error: SentError }
  | { readonly kind: "affinity-key-failed"; readonly error: SentError };

/** How a plane is. */
export interface PlaneStatus {
  readonly balancer: BalancerStatus;
  /** Of named backends, by their names. */
  readonly backends: Readonly<Record<string, BalancerStatus>>;
  /** How often the front answered in place of the app, by status. */
  readonly answered: Readonly<Record<string, number>>;
  /** Requests that workers passed on to others on their connections' behalf, by slot. */
  readonly relayed: Readonly<Record<string, number>>;
  /** Of the listeners with TLS; none if there are none. */
  readonly certificates: readonly CertificateFacts[];
  /** Every `maxRequestsInFlight`. */
  readonly limits: readonly InFlightStatus[];
  /** `null`: there is none. */
  readonly accessLog: AccessLogStatus | null;
  /** `null`: no spans are made. */
  readonly tracing: SpanExportStatus | null;
}
