import type { Server } from "node:http";
import { Socket } from "node:net";
import { isWithin } from "../../affinity/address-key.ts";
import { sentCounts } from "../../facts/sent-counts.ts";
import { normaliseAddress } from "../../http/forwarding.ts";
import {
  type ConnectionOrigin,
  cannotReturnNotice,
  countedNotice,
  handshakesNotice,
  healthNotice,
  type LoadReport,
  readHandoffOrder,
  reportNotice,
  returnedNotice,
  settledNotice,
} from "../../ipc/handoff-messages.ts";
import type { HealthAnswer, HealthCheck } from "../../ipc/health-check.ts";
import type { AddressRange } from "../../model/address-range.ts";
import type { Clock } from "../../model/clock.ts";
import { giveConnection } from "../listen/server-protocol.ts";
import { awaitsReceipt } from "./connection-return.ts";
import { HandedConnection, handedConnection } from "./handed-connection.ts";
import { HandoffReporter } from "./handoff-reporter.ts";
import { HandoffRequests, type HandoffRequestsOptions } from "./handoff-requests.ts";
import { HandoffReturn } from "./handoff-return.ts";
import type { RequestLines } from "./request-lines.ts";
import { SecureIntake } from "./secure-intake.ts";
import type { ServerSpans } from "./server-spans.ts";

export interface HandoffIntakeOptions {
  readonly server: Server;
  /** The worker's end of the channel to the primary: `process`. */
  readonly channel: Pick<NodeJS.Process, "send">;
  readonly clock: Clock;
  /** Default: there is no access log. */
  readonly lines?: RequestLines | undefined;
  /** Makes spans of sampled requests; undefined: none are made. */
  readonly spans?: ServerSpans | undefined;
  /** A request has been read on a handed-off connection; told before the app sees it. */
  readonly begun?: HandoffRequestsOptions["begun"];
  /** The primary told what handshakes are made with; at every time. */
  readonly equipped?: (secure: SecureIntake) => void;
  /** The primary said what to answer to health check `id`. */
  readonly healthAnswered?: (id: number, answer: HealthAnswer | undefined) => void;
}

/**
 * Takes the connections that the primary hands to this worker and gives them to the app's server, as if it had accepted
 * them; reports what becomes of the requests on them; gives them back when asked to.
 */
export class HandoffIntake {
  readonly #server: Server;
  readonly #channel: HandoffIntakeOptions["channel"];
  readonly #requests: HandoffRequests;
  readonly #reporter: HandoffReporter;
  readonly #return: HandoffReturn;
  /** All connections are to go; those that cannot, end with their next answer. */
  #leaving = false;
  readonly #secure: SecureIntake;
  readonly #equipped: NonNullable<HandoffIntakeOptions["equipped"]>;
  readonly #healthAnswered: NonNullable<HandoffIntakeOptions["healthAnswered"]>;

  constructor({
    server,
    channel,
    clock,
    lines,
    spans,
    begun = ignore,
    equipped = ignore,
    healthAnswered = ignore,
  }: HandoffIntakeOptions) {
    this.#server = server;
    this.#channel = channel;
    this.#healthAnswered = healthAnswered;
    this.#equipped = equipped;
    this.#reporter = new HandoffReporter({
      clock,
      take: () => this.#report(),
      send: (report) => {
        this.#tell(reportNotice(report));
        const counts = this.#requests.takeCounts();
        if (counts !== undefined) this.#tellCounts(sentCounts(counts), lines);
        for (const [listener, made] of this.#secure.takeMade()) this.#tell(handshakesNotice(listener, made));
      },
    });
    this.#requests = new HandoffRequests({
      server,
      clock,
      lines,
      spans,
      begun,
      isLast: ({ secure }) => this.#leaving && secure !== undefined,
      changed: this.#reporter.change,
      settled: (id) => this.#tell(settledNotice(id)),
      idle: (connection) => {
        this.#return.idle(connection);
        if (!connection.misplaced) return;
        connection.misplaced = false;
        this.#return.requestOne(connection);
      },
    });
    this.#secure = new SecureIntake({
      secured: (socket, facts, origin) => this.#serve(new HandedConnection(socket, origin, facts)),
      changed: this.#reporter.change,
    });
    this.#return = new HandoffReturn({
      clock,
      connections: this.#requests.connections,
      send: (socket) => this.#giveBack(socket),
      wouldQueue: () => awaitsReceipt(channel),
      impossible: (detail) => this.#tell(cannotReturnNotice(detail)),
    });
  }

  /** Handed-off connections that are open. */
  get connections(): number {
    return this.#requests.connections.size;
  }

  /** Connections whose handshake is under way. */
  get arriving(): number {
    return this.#secure.pending;
  }

  destroyArriving(): void {
    this.#secure.destroyPending();
  }

  /** Connections can be given back, as far as is known. */
  get canReturn(): boolean {
    return this.#return.able;
  }

  /** Takes a message that came from the primary. False: it is not about connections. */
  receive(raw: unknown, handle: unknown): boolean {
    const order = readHandoffOrder(raw);
    switch (order.kind) {
      case "foreign":
        return false;
      case "malformed":
        if (handle instanceof Socket) handle.destroy();
        return true;
      case "connection":
        if (handle instanceof Socket) this.#take(handle, order.bytes, order.origin);
        return true;
      case "handshake":
        if (handle instanceof Socket) this.#secure.take(handle, order.bytes, order.origin);
        return true;
      case "tls":
        this.#secure.equip(order.tls);
        this.#equipped(this.#secure);
        return true;
      case "return":
        if (order.most === "all") this.#leaving = true;
        else if (order.most === 0) this.#leaving = false;
        this.#return.request(order.most);
        return true;
      case "health":
        this.#healthAnswered(order.id, order.answer);
        return true;
      case "settle":
        this.#requests.settle(order.id);
        return true;
      case "cut-off":
        this.#cutOff(order.range);
        return true;
      case "taken":
        this.#return.taken();
        return true;
      default:
        return order satisfies never;
    }
  }

  /**
   * Gives every connection back, as soon as it is idle, those that come meanwhile too. Of a Node that cannot do that the
   * primary hears; the connections are then to be ended as any others.
   */
  returnAll(): void {
    this.#return.request("all");
  }

  /** No connection is given back that is not on its way. */
  keepAll(): void {
    this.#return.request(0);
  }

  askHealth(id: number, check: HealthCheck): void {
    this.#tell(healthNotice(id, check));
  }

  /** A request on this connection belonged to another worker and was relayed there: the next one should go there itself. */
  relayed(connection: HandedConnection): void {
    this.#requests.noteRelayed();
    connection.misplaced = connection.secure === undefined;
  }

  /** Counts, reports and gives back nothing any more, once it has told what it has counted; the connections stay as they are. */
  stop(): void {
    this.#reporter.stop();
    this.#requests.stop();
    this.#return.stop();
  }

  #cutOff(range: AddressRange): void {
    for (const { socket } of this.#requests.connections) {
      if (isWithin(normaliseAddress(socket.remoteAddress ?? ""), range)) socket.destroy();
    }
  }

  #take(socket: Socket, bytes: Buffer, origin: ConnectionOrigin | undefined): void {
    // As those of an HTTP server are; Node makes what comes over a channel as a client's socket.
    socket.allowHalfOpen = true;
    const connection = new HandedConnection(socket, origin);
    this.#serve(connection);
    if (!socket.destroyed) this.#requests.bring(connection, bytes);
  }

  #serve(connection: HandedConnection): void {
    this.#requests.add(connection);
    giveConnection(this.#server, connection.socket);
  }

  #report(): Omit<LoadReport, "loopLagMs"> {
    const report = this.#requests.take();
    return { ...report, connections: report.connections + this.#secure.pending };
  }

  #giveBack(socket: Socket): void {
    this.#channel.send?.(returnedNotice(handedConnection(socket)?.origin), socket, {}, ignore);
  }

  #tellCounts(counts: object, lines: RequestLines | undefined): void {
    const told = lines?.take();
    if (told === undefined) this.#tell(countedNotice(counts));
    else this.#channel.send?.(countedNotice(counts, told), undefined, undefined, () => lines!.sent(told));
  }

  #tell(notice: object): void {
    this.#channel.send?.(notice, undefined, undefined, ignore);
  }
}

/** What cannot be sent is lost with the channel; that the primary is gone is told elsewhere. */
function ignore(): void {}
