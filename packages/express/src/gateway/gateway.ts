import type { Duplex } from "node:stream";
import {
  createBalancer,
  type LbError,
  type UrlBalancer,
  type UrlBalancerStatus,
  type UrlEndpointInput,
} from "@lb/core";
import { systemClock } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { after, isPromise } from "./after.ts";
import { Exchange } from "./exchange.ts";
import { type BalanceOptions, type GatewaySettings, parseBalanceOptions } from "./options.ts";
import type { GatewayParts } from "./parts.ts";
import { Pools } from "./pools.ts";
import { TargetSource } from "./target-source.ts";
import { Tunnel } from "./tunnel.ts";
import { closeAfterWriting, takeUpgrade, type Upgrade } from "./upgrades.ts";
import { upstreamHeaders } from "./upstream-headers.ts";
import { upstreamPath } from "./upstream-path.ts";
import type { UpstreamRequest } from "./upstream-request.ts";
import { Upstreams } from "./upstreams.ts";
import { resultOf } from "./user-function.ts";
import { asksForWebSocket } from "./web-socket.ts";

/** How a gateway's targets are. Plain JSON. */
export interface GatewayStatus extends UrlBalancerStatus {
  /** The targets that its router named: one for each list of them. */
  readonly routed?: readonly UrlBalancerStatus[];
}

/**
 * A balancer inside an app: relays requests of `node:http` to endpoints. Knows no framework; the bindings give it calls.
 */
export class Gateway {
  /** Chooses the endpoints, and knows how they are. */
  readonly balancer: UrlBalancer;
  readonly #settings: GatewaySettings;
  readonly #targets: TargetSource;
  readonly #pools: Pools;
  readonly #upstreams: Upstreams;
  /** The clients' ends of WebSockets, from their requests on. */
  readonly #webSockets = new Set<Duplex>();

  /** @throws OptionError for the first option that cannot be used */
  constructor(input: BalanceOptions<never>) {
    const settings = parseBalanceOptions(input);
    const { targets, refreshMs, timeouts, verifyCertificates } = settings;
    this.#settings = settings;
    this.#targets = new TargetSource({ targets, refreshMs, clock: systemClock, report: this.#report });
    this.balancer = this.#balancerOf(Array.isArray(targets) ? targets : []);
    this.#pools = new Pools({ own: this.balancer, create: (list) => this.#balancerOf(list) });
    this.#upstreams = new Upstreams({ ...timeouts, verifyCertificates });
    this.#targets.keepUpToDate(this.balancer);
  }

  get webSockets(): boolean {
    return this.#settings.webSockets;
  }

  /** Relays the request of `call`, which may be one for a WebSocket, and answers it unless that is left to others. */
  relay(call: Call): void {
    const failed = (error: unknown) => this.#fail(call, error instanceof GatewayError ? error : ruleError(error));
    try {
      const relayed = this.#route(call);
      if (isPromise(relayed)) relayed.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #route(call: Call): void | PromiseLike<void> {
    const { router } = this.#settings;
    const upgrade = takeUpgrade(call.request);
    if (router === undefined) return this.#prepare(call, upgrade, this.balancer);
    const routed = resultOf('The function in the option "router"', () => router(call.frameworkRequest));
    return after(routed, (to) => {
      if (to === "next") call.passOn();
      else return this.#prepare(call, upgrade, this.#pools.of(to));
    });
  }

  #prepare(call: Call, upgrade: Upgrade | undefined, balancer: UrlBalancer): void | PromiseLike<void> {
    const { path, headers } = this.#settings;
    const { method = "GET", httpVersionMajor } = call.request;
    if (httpVersionMajor > 1) throw new GatewayError("LB_REQUEST_INVALID", "Requests of HTTP/2 are not relayed");
    // It has a target repeat what browsers keep from scripts.
    if (method === "TRACE") throw new GatewayError("LB_METHOD", "TRACE is not relayed");
    const withoutCookie = (header: string) => balancer.withoutCookie(header);
    return after(upstreamPath(call, path), (upstream) =>
      after(upstreamHeaders(call, { rules: headers.request, withoutCookie }), (fields) =>
        this.#send(call, upgrade, balancer, { method, ...upstream, headers: fields }),
      ),
    );
  }

  #send(call: Call, upgrade: Upgrade | undefined, balancer: UrlBalancer, request: UpstreamRequest): void {
    // Whoever left while functions of the options took their time is told of no more.
    if (call.response.destroyed) return;
    const failed = (error: GatewayError) => this.#fail(call, error);
    const parts: GatewayParts = { settings: this.#settings, balancer, upstreams: this.#upstreams, clock: systemClock };
    // Any other protocol is ignored, as RFC 9110 §7.8 allows, and the request an ordinary one.
    if (upgrade !== undefined && this.webSockets && asksForWebSocket(call.request)) {
      this.#webSockets.add(upgrade.socket);
      upgrade.socket.once("close", () => this.#webSockets.delete(upgrade.socket));
      new Tunnel({ parts, call, request, upgrade, failed }).begin();
    } else new Exchange({ parts, call, request, failed }).begin();
  }

  /** Plain JSON. */
  status(): GatewayStatus {
    const own = this.balancer.status();
    return this.#settings.router === undefined ? own : { ...own, routed: this.#pools.statuses() };
  }

  /**
   * Ends the WebSockets, which a server that closes would wait for. Without a close frame of ours: what was relayed last
   * may be a part of one.
   */
  endWebSockets(): void {
    for (const socket of this.#webSockets) closeAfterWriting(socket);
  }

  /** Refuses new requests, ends WebSockets and closes idle connections; requests under way end as they would have. */
  async close(): Promise<void> {
    this.endWebSockets();
    this.#targets.close();
    await Promise.all([this.#pools.close(), this.#upstreams.close()]);
  }

  readonly #report = (error: LbError): void => this.#settings.onError?.(error);

  #balancerOf(endpoints: readonly UrlEndpointInput[]): UrlBalancer {
    const { strategy, health, affinity, queue, retryBudget } = this.#settings;
    const balancer = createBalancer({
      endpoints,
      ...(strategy === undefined ? {} : { strategy }),
      ...(health === undefined ? {} : { health }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(queue === undefined ? {} : { queue }),
      ...(retryBudget === undefined ? {} : { retryBudget }),
    });
    return balancer.on("affinity-key-failed", ({ error }) => this.#report(error));
  }

  #fail(call: Call, error: GatewayError): void {
    const { onError } = this.#settings;
    try {
      onError?.(error, call.frameworkRequest);
    } catch (thrown) {
      // It is the app's to see, and the client is not left waiting for that.
      process.nextTick(() => {
        throw thrown;
      });
    }
    this.#answer(call, error, onError !== undefined);
  }

  #answer(call: Call, error: GatewayError, heard: boolean): void {
    call.log(error, heard);
    if (call.response.headersSent || call.response.destroyed) {
      call.response.destroy();
      return;
    }
    if (this.#settings.passErrors) call.fail(error);
    else call.answer(errorAnswer(call, error));
  }
}

/** What a strategy, or another part that the user gave, threw. */
function ruleError(cause: unknown): GatewayError {
  return new GatewayError("LB_RULE", "A function of the options threw", { cause });
}
