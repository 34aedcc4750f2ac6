import type { Duplex } from "node:stream";
import { endsHere, retryCauseOf } from "@lb/core/kit";
import type { Call } from "../call.ts";
import type { GatewayError } from "../errors.ts";
import { isPromise } from "./after.ts";
import { Attempt, type AttemptObserver, type UpstreamAnswer } from "./attempt.ts";
import { ClientPlace } from "./client-place.ts";
import { errorFor, type FailedAttempt } from "./failure.ts";
import { Leases } from "./leases.ts";
import type { GatewayParts } from "./parts.ts";
import { type ClientHead, clientHead, pairsOf, ruledHead, writeHead } from "./response-head.ts";
import { closeAfterWriting, type Upgrade } from "./upgrades.ts";
import { addressedTo, type UpstreamRequest } from "./upstream-request.ts";
import { acceptsHandshake, handshakeFault } from "./web-socket.ts";
import type { WebSocketHooks } from "./web-socket-options.ts";
import { watchWebSocket } from "./web-socket-watch.ts";

export interface TunnelOptions {
  readonly parts: GatewayParts;
  readonly call: Call;
  readonly request: UpstreamRequest;
  readonly upgrade: Upgrade;
  readonly failed: (error: GatewayError) => void;
}

/** One WebSocket: the handshake, tried at one endpoint after the other, then bytes. */
export class Tunnel implements AttemptObserver {
  readonly #parts: GatewayParts;
  readonly #call: Call;
  readonly #request: UpstreamRequest;
  readonly #client: Duplex;
  readonly #failed: TunnelOptions["failed"];
  readonly #leases: Leases;
  #attempt: Attempt | undefined;
  #answered = false;

  constructor({ parts, call, request, upgrade, failed }: TunnelOptions) {
    this.#parts = parts;
    this.#call = call;
    this.#request = request;
    this.#client = upgrade.socket;
    this.#failed = failed;
    this.#leases = new Leases(parts, call);
  }

  begin(): void {
    const fault = handshakeFault(this.#call.request, this.#parts.settings.allowedOrigins);
    if (fault !== undefined) {
      this.#failed(fault);
      return;
    }
    this.#client.once("close", () => {
      this.#attempt?.abandon();
      this.#leases.release(this.#answered ? { kind: "success" } : { kind: "cancelled" });
    });
    // Node's server keeps connections that are half closed; a client that says no more before there is a tunnel has left.
    this.#client.on("end", this.#leave);
    this.#leases.take(() => this.#try(), this.#failed);
  }

  informed(): void {}

  /** Whatever the endpoint answers but 101, and no other can do better, is the client's answer, and no tunnel. */
  answered(answer: UpstreamAnswer, attempt: Attempt): void {
    const cause = retryCauseOf(answer.status);
    if (cause !== undefined && this.#leases.replaceIfPossible(cause, { sent: true, replayable: true })) {
      attempt.abandon();
      this.#try();
      return;
    }
    this.#answered = true;
    this.#leases.observe({ kind: "response", status: answer.status });
    const refuse = (error: unknown) => {
      attempt.abandon();
      if (!this.#client.destroyed) this.#failed(error as GatewayError);
    };
    try {
      const head = ruledHead(
        this.#call.response,
        clientHead(answer, { place: this.#place, ownFields: this.#leases.ownFields() }),
        { rules: this.#parts.settings.headers.response, request: this.#call.frameworkRequest },
      );
      if (!isPromise(head)) this.#answer(head);
      else {
        attempt.hold();
        head
          .then((made) => {
            if (this.#client.destroyed) return;
            this.#answer(made);
            attempt.resume();
          })
          .then(undefined, refuse);
      }
    } catch (error) {
      refuse(error);
    }
  }

  received(piece: Buffer): boolean {
    const { response } = this.#call;
    if (response.destroyed || response.write(piece)) return true;
    response.once("drain", () => this.#attempt?.resume());
    return false;
  }

  ended(): void {
    this.#call.response.end();
  }

  upgraded(answer: UpstreamAnswer, socket: Duplex): void {
    if (!acceptsHandshake(this.#call.request, answer)) {
      socket.destroy();
      const error = new Error("The 101 answers another handshake");
      this.#retry({ cause: "invalid-response", error });
      return;
    }
    this.#answered = true;
    this.#parts.trace?.upgraded();
    this.#leases.observe({ kind: "response", status: answer.status });
    this.#call.takeResponse();
    const { response } = this.#call;
    // The head in our own words: the response object would add Transfer-Encoding, and keeps the socket.
    if (response.socket !== null) response.detachSocket(response.socket);
    this.#client.off("end", this.#leave);
    this.#client.write(this.#headOf(answer), "latin1");
    this.#join(socket);
    this.#watch(socket);
  }

  failed(failure: FailedAttempt): void {
    if (this.#answered) this.#call.response.destroy();
    else this.#retry(failure);
  }

  get #place(): ClientPlace {
    const { settings } = this.#parts;
    return new ClientPlace({
      settings,
      call: this.#call,
      request: this.#request,
      endpoint: this.#leases.current.endpoint,
    });
  }

  #answer(head: ClientHead): void {
    this.#call.takeResponse();
    writeHead(this.#call.response, head);
  }

  #try(): void {
    const { upstreams, settings } = this.#parts;
    const { endpoint } = this.#leases.current;
    let request: UpstreamRequest;
    try {
      request = addressedTo(endpoint, this.#request);
    } catch (error) {
      this.#leases.release({ kind: "cancelled" });
      this.#failed(error as GatewayError);
      return;
    }
    this.#attempt = new Attempt({ upstreams, endpoint, observer: this });
    // A connection that becomes a tunnel is nobody's afterwards, and a fresh one is not stale.
    this.#attempt.begin(withoutCompression(request, settings.webSockets), null, { fresh: true, upgrade: true });
  }

  #retry(failure: FailedAttempt): void {
    const { cause } = failure;
    const { url } = this.#leases.current;
    if (cause !== "refused" && this.#leases.replace(cause, { sent: cause !== "connect-error", replayable: true }))
      this.#try();
    else this.#failed(errorFor(failure, url));
  }

  #watch(upstream: Duplex): void {
    const { settings, clock } = this.#parts;
    const { webSockets: hooks } = settings;
    if (hooks === false) return;
    const { frameworkRequest: request } = this.#call;
    watchWebSocket({ hooks, request, target: this.#leases.current.url, client: this.#client, upstream, clock });
  }

  readonly #leave = (): void => void this.#client.destroy();

  #headOf({ fields }: UpstreamAnswer): string {
    const place = this.#place;
    const kept = pairsOf(fields)
      .filter(([name]) => !endsHere(name.toLowerCase()))
      .map(([name, value]) => [name, place.rewrite(name.toLowerCase(), value)] as const);
    const lines = [...kept, ...pairsOf(this.#leases.ownFields())].map(([name, value]) => `${name}: ${value}\r\n`);
    return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join("")}\r\n`;
  }

  #join(upstream: Duplex): void {
    const client = this.#client;
    for (const socket of [client, upstream]) {
      if ("setNoDelay" in socket) (socket as { setNoDelay(on: boolean): void }).setNoDelay(true);
      if ("setTimeout" in socket) (socket as { setTimeout(ms: number): void }).setTimeout(0);
    }
    // Whatever passes in either direction is read from this connection or written to it.
    const timed = upstream as Duplex & { setTimeout(ms: number, call: () => void): void };
    timed.setTimeout(this.#parts.settings.timeouts.tunnelMs, () => upstream.destroy());
    upstream.on("error", () => upstream.destroy());
    upstream.once("close", () => closeAfterWriting(client));
    client.once("close", () => closeAfterWriting(upstream));
    upstream.pipe(client);
    client.pipe(upstream);
  }
}

/** Whoever wants to read messages along needs them as they are. */
function withoutCompression(request: UpstreamRequest, hooks: WebSocketHooks | false): UpstreamRequest {
  if (hooks === false || hooks.onMessage === undefined) return request;
  const { "sec-websocket-extensions": _, ...headers } = request.headers;
  return { ...request, headers };
}
