import type { Duplex } from "node:stream";
import {
  createBalancer,
  type LbError,
  type UrlBalancer,
  type UrlBalancerStatus,
  type UrlEndpointInput,
} from "@lb/core";
import { systemClock, systemRandom } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { after, isPromise } from "./after.ts";
import { cut, hostAsked, isGone } from "./client-message.ts";
import { Exchange } from "./exchange.ts";
import { Mirror } from "./mirror.ts";
import { type BalanceOptions, type GatewaySettings, parseBalanceOptions } from "./options.ts";
import type { GatewayParts } from "./parts.ts";
import { Pools } from "./pools.ts";
import { RequestTrace } from "./request-log.ts";
import { TargetSource } from "./target-source.ts";
import { Tunnel } from "./tunnel.ts";
import { closeAfterWriting, takeUpgrade, type Upgrade } from "./upgrades.ts";
import { upstreamHeaders } from "./upstream-headers.ts";
import { upstreamPath } from "./upstream-path.ts";
import type { UpstreamRequest } from "./upstream-request.ts";
import { Upstreams } from "./upstreams.ts";
import { resultOf, tell } from "./user-function.ts";
import { asksForWebSocket } from "./web-socket.ts";

/** One request on its way. */
interface Relay {
  readonly call: Call;
  readonly upgrade: Upgrade | undefined;
  readonly trace: RequestTrace | undefined;
}

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
  /** What all requests have in common. */
  readonly #shared: Omit<GatewayParts, "balancer" | "trace">;
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
    const upstreams = new Upstreams({ ...timeouts, verifyCertificates });
    this.#shared = { settings, upstreams, clock: systemClock, mirror: this.#mirrorOf(settings, upstreams) };
    this.#targets.keepUpToDate(this.balancer);
  }

  get webSockets(): boolean {
    return this.#settings.webSockets !== false;
  }

  /** Relays the request of `call`, which may be one for a WebSocket, and answers it unless that is left to others. */
  relay(call: Call): void {
    const { log } = this.#settings;
    const trace = log === undefined ? undefined : new RequestTrace(call, { log, clock: systemClock });
    const failed = (error: unknown) =>
      this.#fail({ call, trace }, error instanceof GatewayError ? error : ruleError(error));
    try {
      const relayed = this.#route({ call, upgrade: takeUpgrade(call.request), trace });
      if (isPromise(relayed)) relayed.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #route(relay: Relay): void | PromiseLike<void> {
    const { router } = this.#settings;
    if (router === undefined) return this.#prepare(relay, this.balancer);
    const { call, trace } = relay;
    const routed = resultOf('The function in the option "router"', () => router(call.frameworkRequest));
    return after(routed, (to) => {
      if (to !== "next") return this.#prepare(relay, this.#pools.of(to));
      trace?.passedOn();
      call.passOn();
    });
  }

  #prepare(relay: Relay, balancer: UrlBalancer): void | PromiseLike<void> {
    const { call } = relay;
    const { path, headers, changeOrigin } = this.#settings;
    const { method = "GET" } = call.request;
    // A client of HTTP/2 asks for a tunnel with it, and Node gives it to who is not asked for.
    if (method === "CONNECT") throw new GatewayError("LB_METHOD", "CONNECT is not relayed");
    // It has a target repeat what browsers keep from scripts.
    if (method === "TRACE") throw new GatewayError("LB_METHOD", "TRACE is not relayed");
    const withoutCookie = (header: string) => balancer.withoutCookie(header);
    return after(upstreamPath(call, path), (upstream) =>
      after(upstreamHeaders(call, { rules: headers.request, withoutCookie }), (fields) =>
        this.#send(relay, balancer, {
          method,
          ...upstream,
          headers: fields,
          // A host that rules have named stays.
          changesHost: changeOrigin && fields["host"] === hostAsked(call.request),
        }),
      ),
    );
  }

  #send({ call, upgrade, trace }: Relay, balancer: UrlBalancer, request: UpstreamRequest): void {
    // Whoever left while functions of the options took their time is told of no more.
    if (isGone(call.response)) return;
    const failed = (error: GatewayError) => this.#fail({ call, trace }, error);
    const parts: GatewayParts = { ...this.#shared, balancer, trace };
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
    const { mirror, upstreams } = this.#shared;
    await Promise.all([this.#pools.close(), mirror?.close(), upstreams.close()]);
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

  #mirrorOf({ mirror }: GatewaySettings, upstreams: Upstreams): Mirror | undefined {
    if (mirror === undefined) return undefined;
    return new Mirror({
      settings: mirror,
      balancer: createBalancer({ endpoints: mirror.targets }),
      upstreams,
      random: systemRandom,
      failed: (error, call) => tell(() => this.#settings.onError?.(error, call.frameworkRequest)),
    });
  }

  #fail({ call, trace }: Pick<Relay, "call" | "trace">, error: GatewayError): void {
    const { onError } = this.#settings;
    trace?.failed(error);
    tell(() => onError?.(error, call.frameworkRequest));
    this.#answer(call, error, onError !== undefined);
  }

  #answer(call: Call, error: GatewayError, heard: boolean): void {
    call.log(error, heard);
    if (call.response.headersSent || isGone(call.response)) {
      cut(call.response);
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
