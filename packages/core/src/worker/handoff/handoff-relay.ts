import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { normaliseAddress } from "../../http/address.ts";
import type { AnswerReason } from "../../http/answer-reason.ts";
import type { Peer } from "../../ipc/messages.ts";
import type { Clock } from "../../model/clock.ts";
import { contained, runApp } from "../agent-faults.ts";
import type { HandedConnection } from "./handed-connection.ts";
import { answerOurselves } from "./own-answers.ts";
import { connectPeer, type PeerRefusal } from "./peer-connection.ts";
import { PeerExchange } from "./peer-exchange.ts";
import { PeerUpgrade, refuseUpgrade, type Upgrade } from "./peer-upgrade.ts";

/** What a server emits for a request: in which of the ways the client may be told to send its body. */
export type RequestEvent = "request" | "checkContinue" | "checkExpectation";

/** One request on a handed-off connection, and how the app gets it. */
export interface Arrival {
  readonly event: RequestEvent;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: HandedConnection;
  readonly pass: () => boolean;
}

export interface HandoffRelayOptions {
  readonly clock: Clock;
  /** This worker's private socket; those of the others lie beside it. */
  readonly intakePath: string;
  /** A request on this connection was relayed: it would be better off elsewhere. */
  readonly relayed: (connection: HandedConnection) => void;
  /** Another worker has the upgrade that was asked for on this socket, which is nobody's HTTP any more. */
  readonly tunnelled: (request: IncomingMessage, socket: Duplex) => void;
}

/** Has requests that belong to another worker answered there. */
export class HandoffRelay {
  readonly #options: HandoffRelayOptions;

  constructor(options: HandoffRelayOptions) {
    this.#options = options;
  }

  /** `serve`: the other worker has just gone, and nothing was sent yet: the request is as good here. */
  request(arrival: Arrival, peer: Peer, fields: readonly string[], serve: () => void): void {
    const { event, request, response, connection } = arrival;
    const failed = () => refuse(arrival, 502, "fault");
    const giveUp = connectPeer({
      path: this.#pathOf(peer),
      preface: prefaceOf(request),
      clock: this.#options.clock,
      connected: contained(
        "relaying a request",
        (socket) => {
          forget();
          this.#options.relayed(connection);
          new PeerExchange(
            { request, response, awaitsContinue: event === "checkContinue", fields, connection },
            socket,
          );
        },
        (socket) => {
          socket.destroy();
          failed();
        },
      ),
      failed: contained(
        "a request that cannot be relayed",
        (reason: PeerRefusal) => {
          forget();
          if (reason === "gone") serve();
          else refuse(arrival, 503, "queue-full");
        },
        failed,
      ),
    });
    const forget = connection.whenClosed(giveUp);
  }

  upgrade(upgrade: Upgrade, connection: HandedConnection, peer: Peer, pass: () => boolean): void {
    const { request, socket } = upgrade;
    const { clock } = this.#options;
    // Node has let go of the socket, and the app does not have it yet: a client that resets it now is nobody's error.
    socket.on("error", ignore);
    const refuseIt = (status: number) => refuseUpgrade(socket, status, clock);
    const giveUp = connectPeer({
      path: this.#pathOf(peer),
      preface: prefaceOf(request),
      clock,
      connected: contained(
        "relaying an upgrade",
        (upstream) => {
          forget();
          this.#options.relayed(connection);
          this.#options.tunnelled(request, socket);
          new PeerUpgrade(upgrade, upstream, clock);
        },
        (upstream) => {
          upstream.destroy();
          refuseIt(502);
        },
      ),
      failed: contained(
        "an upgrade that cannot be relayed",
        (reason: PeerRefusal) => {
          forget();
          if (reason === "busy") refuseIt(503);
          else {
            socket.off("error", ignore);
            runApp(pass);
          }
        },
        () => refuseIt(502),
      ),
    });
    const forget = connection.whenClosed(giveUp);
  }

  #pathOf({ endpointId }: Peer): string {
    return join(dirname(this.#options.intakePath), `${endpointId}.sock`);
  }
}

function prefaceOf({ socket }: IncomingMessage) {
  return {
    address: normaliseAddress(socket.remoteAddress ?? ""),
    port: socket.remotePort ?? 0,
    encrypted: (socket as { readonly encrypted?: boolean }).encrypted === true,
  };
}

/** Answers for ourselves. */
export function refuse(
  { request, response }: Pick<Arrival, "request" | "response">,
  status: number,
  reason: AnswerReason,
): void {
  answerOurselves(response, status, reason);
  // Of an upload that nobody wants.
  request.resume();
}

function ignore(): void {}
