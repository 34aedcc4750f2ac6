import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Affinity } from "../../affinity/affinity.ts";
import type { AffinityDecision } from "../../affinity/decision.ts";
import { normaliseAddress } from "../../http/address.ts";
import type { AnswerReason } from "../../http/answer-reason.ts";
import { clientBehind } from "../../http/forwarded-for.ts";
import { hostIn, namesHost } from "../../http/host-list.ts";
import type { RequestIds } from "../../http/request-ids.ts";
import { isThisMachine, type ResponseRules } from "../../http/response-rules.ts";
import type { TraceContexts } from "../../http/trace-contexts.ts";
import { allowsOrigin } from "../../http/websocket.ts";
import type { Peer } from "../../ipc/messages.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { FieldRules } from "../../options/header-options.ts";
import { contained, noteFault, runApp } from "../agent-faults.ts";
import { onSessions } from "../socket-io/session-notice.ts";
import { type HandedConnection, handedConnection } from "./handed-connection.ts";
import { type Arrival, HandoffRelay, type HandoffRelayOptions, type RequestEvent, refuse } from "./handoff-relay.ts";
import type { HealthRelay } from "./health-relay.ts";
import { refuseUpgrade, type Upgrade } from "./peer-upgrade.ts";
import { normaliseTarget, removeFields, tellSecure } from "./request-fields.ts";
import { identify } from "./request-identity.ts";
import type { LineSettings } from "./request-lines.ts";
import { applyRequestRules } from "./request-rules.ts";
import { joinTrace } from "./request-trace-context.ts";
import { addFields, applyRules } from "./response-fields.ts";

/** What the front of proxy mode sees to for each request, and in hand-off mode for the first of a connection only. */
export interface GateSettings {
  readonly affinity: Affinity | undefined;
  /** Instead of it, once this process has Engine.IO. */
  readonly sessions: Affinity | undefined;
  readonly allowedHosts: ReadonlySet<string> | undefined;
  readonly allowedOrigins: ReadonlySet<string> | undefined;
  /** Undefined: nobody is trusted. */
  readonly trustsPeer: ((address: string) => boolean) | undefined;
  /** Where health checks of the public port come to; undefined: they are the app's. */
  readonly healthPath: string | undefined;
  /** Added to each response (name, value, name, value …). */
  readonly responseFields: readonly string[];
  /** What becomes of the fields of requests and of responses; undefined: nothing. */
  readonly requestRules: FieldRules | undefined;
  readonly responseRules: ResponseRules | undefined;
  /** Undefined: requests have none. */
  readonly requestIds: RequestIds | undefined;
  /** Decides on their traces; undefined: what clients say of them is passed on. */
  readonly traces: TraceContexts | undefined;
  /** Query parameters whose values spans do not tell. */
  readonly redact: readonly string[];
  /** For the access log; undefined: there is none. */
  readonly lines: LineSettings | undefined;
}

export interface GateOptions extends GateSettings, HandoffRelayOptions {
  readonly server: Server;
  readonly slot: number;
  readonly incarnation: number;
  readonly health: HealthRelay | undefined;
  /** Those that take traffic. */
  readonly peers: () => readonly Peer[];
  /** Those that serve nothing but the sessions which live in them. */
  readonly lingering: () => readonly Peer[];
}

/**
 * Stands before the app for requests on handed-off connections: refuses what the settings do not allow, takes out what the
 * app must not believe, and has requests that belong to another worker answered there.
 */
export class HandoffGate {
  readonly #options: GateOptions;
  readonly #relay: HandoffRelay;
  #affinity: Affinity | undefined;
  #stands = false;
  /** Whether a host has the certificate of the name that its client has asked for. */
  #isFor: ((serverName: string, host: string) => boolean) | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#relay = new HandoffRelay(options);
    const { affinity, sessions, allowedHosts, allowedOrigins, health, responseFields } = options;
    const { requestRules, responseRules } = options;
    this.#affinity = affinity;
    const parts = [affinity, allowedHosts, allowedOrigins, health, requestRules, responseRules];
    const decides = parts.some((each) => each !== undefined);
    if (decides || responseFields.length > 0) this.#stand();
    if (sessions === undefined) return;
    onSessions(() => {
      this.#affinity = sessions;
      this.#stand();
    });
  }

  /** Connections with TLS come from now on, whose requests are for the host that was named in the handshake (RFC 9110 §7.4). */
  guardNames(isFor: (serverName: string, host: string) => boolean): void {
    this.#isFor = isFor;
    this.#stand();
  }

  /** Takes out what the app must not see. Hot path: called for every request, before any listener. */
  clean(request: IncomingMessage, connection: HandedConnection, response: ServerResponse | undefined): void {
    connection.trusted ??= this.#options.trustsPeer?.(normaliseAddress(request.socket.remoteAddress ?? "")) ?? false;
    // Whoever names no host names none that is allowed.
    if (!normaliseTarget(request)) request.headers.host = "";
    if (!connection.trusted) this.#options.health?.note(request);
    const { secure } = connection;
    const asked = secure?.clientFields !== undefined;
    if (connection.trusted) removeFields(request, asked ? fromAskedProxies : fromProxies);
    else removeFields(request, fromAnybody);
    if (secure !== undefined) tellSecure(request, secure);
    const { requestIds, traces } = this.#options;
    if (traces !== undefined) joinTrace(request, traces, connection.trusted);
    if (requestIds !== undefined) identify(request, response, requestIds, connection.trusted);
  }

  #stand(): void {
    if (this.#stands) return;
    this.#stands = true;
    const { server } = this.#options;
    const emit = server.emit as (this: Server, name: string, ...args: unknown[]) => boolean;
    // The one place before all listeners, in which a request can still go elsewhere.
    server.emit = ((name: string, ...args: unknown[]) => {
      const pass = () => emit.call(server, name, ...args);
      const [request] = args as [IncomingMessage];
      switch (name) {
        case "request":
        case "checkContinue":
        case "checkExpectation":
          return this.#request(name, request, args[1] as ServerResponse, pass);
        case "upgrade":
          return this.#upgrade({ request, socket: args[1] as Duplex, head: args[2] as Buffer }, pass);
        default:
          return pass();
      }
    }) as Server["emit"];
  }

  #request(event: RequestEvent, request: IncomingMessage, response: ServerResponse, pass: () => boolean): boolean {
    const connection = handedConnection(request.socket);
    if (connection === undefined) return pass();
    const arrival = { event, request, response, connection, pass };
    const { responseRules } = this.#options;
    let taken = true;
    try {
      if (responseRules !== undefined) applyRules(response, responseRules, cameEncrypted(request, connection));
      taken = this.#takes(arrival);
    } catch (error) {
      noteFault("the gate", error);
      refuse(arrival, 502, "fault");
    }
    return taken || pass();
  }

  /** False: it is the app's. True: it is answered, or will be, or goes to the app later. */
  #takes(arrival: Arrival): boolean {
    const { health } = this.#options;
    const { request, response } = arrival;
    if (health === undefined) return this.#admits(arrival);
    const { clientAddress = "" } = this.#viewOf(request);
    const later = contained(
      "the gate, after a health check",
      () => {
        if (!this.#admits(arrival)) runApp(arrival.pass);
      },
      () => refuse(arrival, 502, "fault"),
    );
    return health.take(request, response, clientAddress, later) || this.#admits(arrival);
  }

  #admits(arrival: Arrival): boolean {
    const { request, response, connection } = arrival;
    const { responseFields, slot } = this.#options;
    const affinity = this.#affinity;
    const elsewhere = this.#misdirected(request, connection);
    if (elsewhere !== undefined) {
      refuse(arrival, 421, elsewhere);
      return true;
    }
    const decision = affinity?.decide(this.#viewOf(request));
    const fieldsFrom = (answering: number) =>
      decision === undefined
        ? responseFields
        : [...affinity!.responseFields(decision, answering, connection.secure !== undefined), ...responseFields];
    const peer = decision === undefined ? undefined : this.#peerFor(decision, connection);
    this.#change(request);
    const addOurs = () => {
      const fields = fieldsFrom(slot);
      if (fields.length > 0) addFields(response, fields);
    };
    if (peer === undefined) {
      addOurs();
      return false;
    }
    this.#relay.request(arrival, peer, fieldsFrom(peer.id - 1), () => {
      addOurs();
      runApp(arrival.pass);
    });
    return true;
  }

  #upgrade(upgrade: Upgrade, pass: () => boolean): boolean {
    const connection = handedConnection(upgrade.request.socket);
    if (connection === undefined) return pass();
    let taken = true;
    try {
      taken = this.#takesUpgrade(upgrade, connection, pass);
    } catch (error) {
      noteFault("the gate, at an upgrade", error);
      refuseUpgrade(upgrade.socket, 502, this.#options.clock);
    }
    return taken || pass();
  }

  #takesUpgrade(upgrade: Upgrade, connection: HandedConnection, pass: () => boolean): boolean {
    const { request, socket } = upgrade;
    this.clean(request, connection, undefined);
    const { allowedOrigins, clock } = this.#options;
    const affinity = this.#affinity;
    if (this.#misdirected(request, connection) !== undefined) {
      refuseUpgrade(socket, 421, clock);
      return true;
    }
    if (!allowsOrigin(request.headers.origin, allowedOrigins)) {
      refuseUpgrade(socket, 403, clock);
      return true;
    }
    const decision = affinity?.decide(this.#viewOf(request));
    const peer = decision === undefined ? undefined : this.#peerFor(decision, connection);
    this.#change(request);
    if (peer === undefined) return false;
    this.#relay.upgrade(upgrade, connection, peer, pass);
    return true;
  }

  /** What is the front's to change in a request, once it has been decided on. */
  #change(request: IncomingMessage): void {
    const { requestRules } = this.#options;
    const stripCookie = this.#affinity?.stripCookie;
    if (stripCookie !== undefined) removeFields(request, { trusted: true, stripCookie });
    if (requestRules !== undefined) applyRequestRules(request, requestRules);
  }

  /** It is for a host that it cannot be for here. */
  #misdirected(request: IncomingMessage, { secure }: HandedConnection): AnswerReason | undefined {
    const { allowedHosts } = this.#options;
    if (allowedHosts !== undefined && !isAllowed(request, allowedHosts)) return "host-not-allowed";
    const serverName = secure?.serverName;
    const isElsewhere =
      serverName !== undefined && this.#isFor?.(serverName, hostIn(request.headers.host ?? "")) === false;
    return isElsewhere ? "misdirected" : undefined;
  }

  /** Another worker, if it is the one to answer. The front has decided on what it brought, knowing who is healthy. */
  #peerFor(decision: AffinityDecision, connection: HandedConnection): Peer | undefined {
    if (decision.kind !== "slot" || !connection.served) {
      connection.served = true;
      return undefined;
    }
    const { slot, incarnation } = decision;
    if (slot === this.#options.slot && (incarnation ?? this.#options.incarnation) === this.#options.incarnation) {
      return undefined;
    }
    const { peers, lingering } = this.#options;
    if (incarnation === undefined) {
      return slot === this.#options.slot ? undefined : peers().find(({ id }) => id === slot + 1);
    }
    const isIt = ({ endpointId }: Peer) => endpointId === `${slot + 1}.${incarnation}`;
    return peers().find(isIt) ?? lingering().find(isIt);
  }

  #viewOf(request: IncomingMessage): RequestView {
    const peerAddress = normaliseAddress(request.socket.remoteAddress ?? "");
    const trusted = handedConnection(request.socket)?.trusted === true;
    // Node joins those of several lines.
    const forwarded = trusted ? (request.headers["x-forwarded-for"] as string | undefined) : undefined;
    return {
      method: request.method ?? "GET",
      target: request.url ?? "/",
      clientAddress: clientBehind(peerAddress, forwarded),
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
    };
  }
}

/** As far as is known: to here, or to a proxy of ours that says so; not for what is developed on this machine. */
function cameEncrypted({ socket, headers }: IncomingMessage, { trusted }: HandedConnection): boolean {
  const here = "encrypted" in socket && socket.encrypted === true;
  return (
    (here || (trusted === true && headers["x-forwarded-proto"] === "https")) &&
    !isThisMachine(hostIn(headers.host ?? ""))
  );
}

/** Of several Host fields Node shows the first, and somebody behind us may take the last. */
function isAllowed({ headers, rawHeaders }: IncomingMessage, hosts: ReadonlySet<string>): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === "host" && !namesHost(rawHeaders[index + 1]!, hosts)) return false;
  }
  return namesHost(headers.host ?? "", hosts);
}

const fromAnybody = Object.freeze({ trusted: false });
const fromProxies = Object.freeze({ trusted: true });
/** What is said of clients' certificates is ours to say. */
const fromAskedProxies = Object.freeze({ trusted: true, asksClients: true });
