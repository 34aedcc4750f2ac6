import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import type { RequestCounts } from "../../facts/request-counts.ts";
import { receivedCounts } from "../../facts/sent-counts.ts";
import { expectReceipt, type HandleReceipt } from "../../ipc/handle-receipts.ts";
import {
  type ConnectionOrigin,
  cutOffOrder,
  type HandshakeReport,
  healthOrder,
  type LoadReport,
  readHandoffNotice,
  returnOrder,
  type SentLines,
  settleOrder,
  takenOrder,
  tlsOrder,
} from "../../ipc/handoff-messages.ts";
import type { HealthAnswer, HealthCheck } from "../../ipc/health-check.ts";
import { ReportedLoad, type RequestBooks } from "../../load/reported-load.ts";
import type { AddressRange } from "../../model/address-range.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { DeadlineWheel, Expiring } from "../deadline-wheel.ts";
import { Fifo } from "./fifo.ts";
import { isSendable, leaveServer, stopReading } from "./handoff-socket.ts";

/** A connection on its way to a worker. Exactly one of `arrived` and `stranded` is called, unless it was given up. */
export interface Traveller {
  readonly socket: Socket;
  /** The client has left, or was answered here, since it set out: it is not sent any more. */
  readonly givenUp: boolean;
  /** What is sent with the socket. */
  order(): object;
  /** The worker has it: nothing more may be done to the connection here. */
  arrived(): void;
  /** The worker will never have it, and nothing of it was consumed. */
  stranded(): void;
  /** The worker leaves, and queues are left with it. True: it looks for another one; false: it belongs there, and stays. */
  turnBack(): boolean;
  /** The worker takes nothing at the moment; asked again as long as that lasts. True: it goes elsewhere; false: it keeps its place here. */
  divert(): boolean;
}

export interface HandoffLaneSettings {
  /**
   * With so many connections that wait for it a worker is passed over, as long as others have fewer. There is no other
   * bound: who waits is open at the public port, which has its own (`maxConnections`).
   */
  readonly crowdedAt: number;
  /** A worker that has not taken a connection after so long, in milliseconds, is passed over by those who can go elsewhere. */
  readonly stallMs: number;
}

/**
 * A worker in good health takes a connection in well under a millisecond; a thousand are what a burst may bring.
 * A stall of a quarter of a second is beyond what a collection of garbage takes, and short beside a client's patience.
 */
export const handoffLaneDefaults: HandoffLaneSettings = Object.freeze({ crowdedAt: 1_024, stallMs: 250 });

export interface HandoffLaneObserver {
  /** The worker gave a connection back, idle and unread; it is the observer's from here on. `origin`: as it went there. */
  connectionReturned(socket: Socket, origin: ConnectionOrigin | undefined): void;
  /** The report is in the books already; it also tells of connections and of the event loop. */
  loadReported(report: LoadReport): void;
  /** What the worker has counted since it last told. */
  requestsReported(counts: RequestCounts): void;
  /** What it has to say of them for the access log. */
  linesReported(lines: SentLines): void;
  /** What has become of handshakes at this listener. */
  handshakesReported(listener: number, handshakes: HandshakeReport): void;
  /** A health check came on a connection that is with the worker; returns what it answers. */
  healthAsked(check: HealthCheck): HealthAnswer | undefined;
  /** The worker's Node cannot give connections back; told once. */
  cannotReturn(detail: string): void;
  /** A message came that is none, or one without the socket that belongs to it. */
  messageDropped(): void;
}

export interface HandoffLaneOptions {
  readonly endpoint: Endpoint;
  readonly child: Pick<ChildProcess, "send" | "on" | "off" | "once" | "connected" | "listenerCount">;
  readonly wheel: DeadlineWheel;
  readonly settings: HandoffLaneSettings;
  /** Where the requests of the endpoint are booked that begin without a lease of ours. */
  readonly books: RequestBooks;
  readonly observer: HandoffLaneObserver;
}

/** After a worker's exit, what it has written is still read: it may acknowledge what it took. In milliseconds. */
const lastReceiptsMs = 1_000;

/** Names what is kept open: this side's handle, until the worker has its own. */
const keepOpen = Object.freeze({ keepOpen: true });

/**
 * The way of connections to one worker process.
 *
 * Node sends one handle at a time over a channel and keeps the others in a queue that nobody can look into, where they
 * are lost with the worker. So they queue here, and Node is given the next when it has the acknowledgement of the last.
 * This process keeps its handle until then: whatever happens to the worker, a connection that it did not acknowledge can
 * go to another one.
 */
export class HandoffLane implements Expiring {
  readonly endpoint: Endpoint;
  /** The requests on the connections that have arrived. */
  readonly load: ReportedLoad;
  deadlineTick = 0;
  heldTick = 0;
  readonly #child: HandoffLaneOptions["child"];
  readonly #wheel: DeadlineWheel;
  readonly #settings: HandoffLaneSettings;
  readonly #observer: HandoffLaneObserver;
  /**
   * - `open`;
   * - `ended`: the process has ended, its last words are being read;
   * - `closed`.
   */
  #state: "open" | "ended" | "closed" = "open";
  #stalled = false;
  #travelling: Traveller | undefined;
  readonly #queue = new Fifo<Traveller>();
  /** Those who wait for what the worker had in flight when they asked, by the number of their question. */
  readonly #settling = new Map<number, () => void>();
  #settlements = 0;

  constructor({ endpoint, child, wheel, settings, books, observer }: HandoffLaneOptions) {
    this.endpoint = endpoint;
    this.load = new ReportedLoad(books);
    this.#child = child;
    this.#wheel = wheel;
    this.#settings = settings;
    this.#observer = observer;
    child.once("exit", this.#ended);
    // Node says neither as long as it waits for an acknowledgement, if only the channel was closed; see `expired`.
    child.once("disconnect", this.#closed);
    child.once("close", this.#closed);
    if (!child.connected) this.#state = "closed";
  }

  /** Nothing can be sent here ever again, which may be known some time before the process is said to have ended. */
  get gone(): boolean {
    return this.#state !== "open" || !this.#child.connected;
  }

  /** Whether it is wise to send a connection here. */
  get accepting(): boolean {
    return !this.gone && !this.#stalled && this.#queue.length < this.#settings.crowdedAt;
  }

  /** Connections that are on their way. */
  get unconfirmed(): number {
    return this.#queue.length + (this.#travelling === undefined ? 0 : 1);
  }

  /** Sends the connection, now or as soon as those before it have arrived. False: nobody is there. */
  offer(traveller: Traveller): boolean {
    if (this.gone) return false;
    if (this.#travelling === undefined) this.#send(traveller);
    else this.#queue.push(traveller);
    return true;
  }

  /**
   * The worker is to take nothing new, and may be about to end: what queues goes elsewhere. What travels arrives before anything that
   * the worker is told from now on.
   */
  leave(): void {
    for (const traveller of this.#queue.takeAll()) {
      if (!traveller.givenUp && !traveller.turnBack()) this.#queue.push(traveller);
    }
  }

  /** The worker makes handshakes with this from now on. There are secrets in it. */
  equip(tls: object): void {
    if (this.#state === "open") this.#child.send(tlsOrder(tls), ignore);
  }

  /** Asks the worker for connections that are idle. */
  requestReturn(most: number | "all"): void {
    if (this.#state === "open") this.#child.send(returnOrder(most), ignore);
  }

  /** The worker ends its connections of these addresses. */
  cutOff(range: AddressRange): void {
    if (this.#state === "open") this.#child.send(cutOffOrder(range), ignore);
  }

  /**
   * Resolves when the requests have ended that the worker has now, those that travel there among them. Tunnels are not
   * waited for.
   */
  settled(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    return new Promise((resolve) => {
      const id = ++this.#settlements;
      this.#settling.set(id, resolve);
      if (this.#state === "open") this.#child.send(settleOrder(id), ignore);
    });
  }

  /** Takes a message that came from the worker. False: it is not about connections. */
  receive(raw: unknown, handle: unknown): boolean {
    const notice = readHandoffNotice(raw);
    switch (notice.kind) {
      case "foreign":
        return false;
      case "malformed":
        this.#observer.messageDropped();
        return true;
      case "report":
        this.load.apply(notice.report);
        this.#observer.loadReported(notice.report);
        return true;
      case "cannot-return":
        this.#observer.cannotReturn(notice.detail);
        return true;
      case "health":
        this.#child.send(healthOrder(notice.id, this.#observer.healthAsked(notice.check)), ignore);
        return true;
      case "returned":
        this.#returned(handle, notice.origin);
        return true;
      case "counted":
        this.#counted(notice.counts, notice.lines);
        return true;
      case "handshakes":
        this.#observer.handshakesReported(notice.listener, notice.handshakes);
        return true;
      case "settled":
        this.#settling.get(notice.id)?.();
        this.#settling.delete(notice.id);
        return true;
      default:
        return notice satisfies never;
    }
  }

  #counted(raw: object, lines: SentLines | undefined): void {
    const counts = receivedCounts(raw);
    if (counts === undefined) {
      this.#observer.messageDropped();
      return;
    }
    this.#observer.requestsReported(counts);
    if (lines !== undefined) this.#observer.linesReported(lines);
  }

  /** A deadline of the wheel: the worker has not taken the connection that travels, or its last words were awaited. */
  expired(): void {
    if (this.gone) {
      this.#closed();
      return;
    }
    this.#stalled = true;
    this.#wheel.set(this, this.#settings.stallMs);
    this.#queue.retain((traveller) => !traveller.givenUp && !traveller.divert());
  }

  #send(traveller: Traveller): void {
    const { socket } = traveller;
    this.#travelling = traveller;
    this.#wheel.set(this, this.#settings.stallMs);
    leaveServer(socket);
    expectReceipt(this.#child, this.#receipt);
    this.#child.send(traveller.order(), socket, keepOpen, this.#sent);
  }

  readonly #sent = (error: Error | null) => {
    // It did not leave this process, which is how a worker's death may first be noticed.
    if (error !== null) this.#failed();
  };

  readonly #receipt = (receipt: HandleReceipt) => {
    if (receipt === "lost") this.#failed();
    else this.#arrived();
  };

  #arrived(): void {
    const traveller = this.#travelling;
    if (traveller === undefined) return;
    this.#next();
    traveller.arrived();
  }

  #failed(): void {
    const traveller = this.#travelling;
    if (traveller === undefined) return;
    this.#next();
    traveller.stranded();
  }

  #next(): void {
    this.#travelling = undefined;
    if (this.gone) return;
    let next = this.#queue.shift();
    while (next !== undefined && (next.givenUp || !isSendable(next.socket))) next = this.#queue.shift();
    if (next === undefined) this.#wheel.set(this, Number.POSITIVE_INFINITY);
    else this.#send(next);
    this.#stalled = false;
  }

  #returned(handle: unknown, origin: ConnectionOrigin | undefined): void {
    if (this.#state === "open") this.#child.send(takenOrder, ignore);
    // One that was lost for want of descriptors Node sends again: without a socket it is no message of our other end's.
    if (!(handle instanceof Socket)) {
      this.#observer.messageDropped();
      return;
    }
    stopReading(handle);
    // As a server's own; Node makes it as a client's.
    handle.allowHalfOpen = true;
    this.#observer.connectionReturned(handle, origin);
  }

  /** The process has ended. What still queues can go elsewhere; what travels may have arrived. */
  readonly #ended = () => {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#wheel.set(this, lastReceiptsMs);
    this.#strand(this.#queue.takeAll());
  };

  /** All that the worker ever wrote has been read. */
  readonly #closed = () => {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#wheel.clear(this);
    this.#child.off("exit", this.#ended);
    this.#child.off("disconnect", this.#closed);
    this.#child.off("close", this.#closed);
    const traveller = this.#travelling;
    this.#travelling = undefined;
    this.load.abandon();
    for (const resolve of this.#settling.values()) resolve();
    this.#settling.clear();
    if (traveller !== undefined) this.#strand([traveller]);
    this.#strand(this.#queue.takeAll());
  };

  #strand(travellers: readonly Traveller[]): void {
    for (const traveller of travellers) traveller.stranded();
  }
}

function ignore(): void {}
