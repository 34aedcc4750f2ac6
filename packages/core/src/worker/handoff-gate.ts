import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import type { Affinity } from "../affinity/affinity.ts";
import type { AffinityDecision } from "../affinity/decision.ts";
import { addressOfEntry, normaliseAddress } from "../http/address.ts";
import { namesHost } from "../http/host-list.ts";
import type { Peer } from "../ipc/messages.ts";
import type { RequestView } from "../model/request-view.ts";
import { type HandedConnection, handedConnection } from "./handoff-connection.ts";
import type { HealthRelay } from "./health-relay.ts";
import { connectPeer, refuseUpgrade, relayRequest, relayUpgrade } from "./peer-relay.ts";
import { removeFields } from "./request-fields.ts";
import { addFields } from "./response-fields.ts";
import { onSessions } from "./session-notice.ts";

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
}

export interface GateOptions extends GateSettings {
  readonly server: Server;
  readonly slot: number;
  readonly incarnation: number;
  readonly intakePath: string;
  readonly health: HealthRelay | undefined;
  /** Those that take traffic. */
  readonly peers: () => readonly Peer[];
  /** Those that serve nothing but the sessions which live in them. */
  readonly lingering: () => readonly Peer[];
  /** A request on this connection was relayed: it would be better off elsewhere. */
  readonly relayed: (connection: HandedConnection) => void;
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Stands before the app for requests on handed-off connections: refuses what the settings do not allow, takes out what the
 * app must not believe, and has requests that belong to another worker answered there.
 */
export class HandoffGate {
  readonly #options: GateOptions;
  #affinity: Affinity | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    const { affinity, sessions, allowedHosts, allowedOrigins, health, responseFields, server } = options;
    this.#affinity = affinity;
    const decides = [affinity, allowedHosts, allowedOrigins, health].some((each) => each !== undefined);
    const stands = decides || responseFields.length > 0;
    if (stands) this.#stand(server);
    if (sessions === undefined) return;
    onSessions(() => {
      this.#affinity = sessions;
      if (!stands) this.#stand(server);
    });
  }

  /** Takes out what the app must not see. Hot path: called for every request, before any listener. */
  clean(request: IncomingMessage, connection: HandedConnection): void {
    connection.trusted ??= this.#options.trustsPeer?.(normaliseAddress(request.socket.remoteAddress ?? "")) ?? false;
    if (connection.trusted) return;
    this.#options.health?.note(request);
    removeFields(request, true, undefined);
  }

  #stand(server: Server): void {
    const emit = server.emit as (this: Server, name: string, ...args: unknown[]) => boolean;
    // The one place before all listeners, in which a request can still go elsewhere.
    server.emit = ((name: string, ...args: unknown[]) => {
      const pass = () => emit.call(server, name, ...args);
      const [request] = args as [IncomingMessage];
      switch (name) {
        case "request":
        case "checkContinue":
        case "checkExpectation":
          return this.#request(request, args[1] as ServerResponse, pass);
        case "upgrade":
          return this.#upgrade({ request, socket: args[1] as Duplex, head: args[2] as Buffer }, pass);
        default:
          return pass();
      }
    }) as Server["emit"];
  }

  #request(request: IncomingMessage, response: ServerResponse, pass: () => boolean): boolean {
    const connection = handedConnection(request.socket);
    if (connection === undefined) return pass();
    const { health } = this.#options;
    const admit = () => this.#admit(request, response, connection, pass);
    if (health === undefined) return admit();
    const { clientAddress = "" } = this.#viewOf(request);
    return health.take(request, response, clientAddress, admit) || admit();
  }

  #admit(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HandedConnection,
    pass: () => boolean,
  ): boolean {
    const { allowedHosts, responseFields, slot } = this.#options;
    const affinity = this.#affinity;
    if (allowedHosts !== undefined && !namesHost(request.headers.host ?? "", allowedHosts)) {
      response.writeHead(421, { Connection: "close", "Content-Length": 0 }).end();
      return true;
    }
    const decision = affinity?.decide(this.#viewOf(request));
    const fieldsFrom = (answering: number) =>
      decision === undefined
        ? responseFields
        : [...affinity!.responseFields(decision, answering, false), ...responseFields];
    if (affinity?.stripCookie !== undefined) removeFields(request, false, affinity.stripCookie);
    const serve = () => {
      const fields = fieldsFrom(slot);
      if (fields.length > 0) addFields(response, fields);
      return pass();
    };
    const peer = decision === undefined ? undefined : this.#peerFor(decision, connection);
    if (peer === undefined) return serve();
    connectPeer(this.#pathOf(peer), this.#prefaceOf(request)).then(
      (socket) => {
        this.#options.relayed(connection);
        relayRequest({ request, response }, socket, fieldsFrom(peer.id - 1));
      },
      // It has just gone. Nothing was sent yet: the request is as good here.
      serve,
    );
    return true;
  }

  #upgrade({ request, socket, head }: Upgrade, pass: () => boolean): boolean {
    const connection = handedConnection(request.socket);
    if (connection === undefined) return pass();
    this.clean(request, connection);
    const { allowedHosts, allowedOrigins } = this.#options;
    const affinity = this.#affinity;
    if (allowedHosts !== undefined && !namesHost(request.headers.host ?? "", allowedHosts)) {
      refuseUpgrade(socket, 421);
      return true;
    }
    const { origin } = request.headers;
    if (origin !== undefined && allowedOrigins?.has(origin) === false) {
      refuseUpgrade(socket, 403);
      return true;
    }
    const decision = affinity?.decide(this.#viewOf(request));
    if (affinity?.stripCookie !== undefined) removeFields(request, false, affinity.stripCookie);
    const peer = decision === undefined ? undefined : this.#peerFor(decision, connection);
    if (peer === undefined) return pass();
    connectPeer(this.#pathOf(peer), this.#prefaceOf(request)).then(
      (upstream) => {
        this.#options.relayed(connection);
        relayUpgrade({ request, socket, head }, upstream);
      },
      () => pass(),
    );
    return true;
  }

  /** Another worker, if it is the one to answer. The front has decided on what it brought, knowing who is healthy. */
  #peerFor(decision: AffinityDecision, connection: HandedConnection): Peer | undefined {
    if (decision.kind !== "slot" || (connection.brought && !connection.served)) {
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
    const forwarded = this.#options.trustsPeer?.(peerAddress) === true ? request.headers["x-forwarded-for"] : undefined;
    const last = [forwarded].flat().at(-1)?.split(",").at(-1)?.trim();
    return {
      method: request.method ?? "GET",
      target: request.url ?? "/",
      clientAddress: (last === undefined ? undefined : addressOfEntry(last)) ?? peerAddress,
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
    };
  }

  #prefaceOf({ socket }: IncomingMessage) {
    return {
      address: normaliseAddress(socket.remoteAddress ?? "0.0.0.0"),
      port: socket.remotePort ?? 0,
      encrypted: false,
    };
  }

  #pathOf({ endpointId }: Peer): string {
    return join(dirname(this.#options.intakePath), `${endpointId}.sock`);
  }
}
