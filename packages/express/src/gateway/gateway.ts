import type { Duplex } from "node:stream";
import { createBalancer, type LbError, type UrlBalancer, type UrlBalancerStatus } from "@lb/core";
import { systemClock } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { Exchange } from "./exchange.ts";
import { type BalanceOptions, type GatewaySettings, parseBalanceOptions } from "./options.ts";
import type { GatewayParts } from "./parts.ts";
import { TargetSource } from "./target-source.ts";
import { Tunnel } from "./tunnel.ts";
import { closeAfterWriting, takeUpgrade } from "./upgrades.ts";
import { upstreamHeaders } from "./upstream-headers.ts";
import { upstreamPath } from "./upstream-path.ts";
import { Upstreams } from "./upstreams.ts";
import { asksForWebSocket } from "./web-socket.ts";

/**
 * A balancer inside an app: relays requests of `node:http` to endpoints. Knows no framework; the bindings give it calls.
 */
export class Gateway {
  /** Chooses the endpoints, and knows how they are. */
  readonly balancer: UrlBalancer;
  readonly #parts: GatewayParts;
  readonly #settings: GatewaySettings;
  readonly #targets: TargetSource;
  /** The clients' ends of WebSockets, from their requests on. */
  readonly #webSockets = new Set<Duplex>();

  /** @throws OptionError for the first option that cannot be used */
  constructor(input: BalanceOptions) {
    const settings = parseBalanceOptions(input);
    const { targets, refreshMs, strategy, health, affinity, queue, retryBudget, timeouts } = settings;
    const report = (error: LbError) => settings.onError?.(error);
    this.#settings = settings;
    this.#targets = new TargetSource({ targets, refreshMs, clock: systemClock, report });
    this.balancer = createBalancer({
      endpoints: Array.isArray(targets) ? targets : [],
      ...(strategy === undefined ? {} : { strategy }),
      ...(health === undefined ? {} : { health }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(queue === undefined ? {} : { queue }),
      ...(retryBudget === undefined ? {} : { retryBudget }),
    });
    this.#parts = {
      settings,
      balancer: this.balancer,
      upstreams: new Upstreams({ ...timeouts, verifyCertificates: settings.verifyCertificates }),
      clock: systemClock,
    };
    this.balancer.on("affinity-key-failed", ({ error }) => report(error));
    this.#targets.keepUpToDate(this.balancer);
  }

  get webSockets(): boolean {
    return this.#settings.webSockets;
  }

  /** Relays the request of `call`, which may be one for a WebSocket, and answers it in any case. */
  relay(call: Call): void {
    try {
      const { path, headers: rules, webSockets } = this.#settings;
      const upgrade = takeUpgrade(call.request);
      const { method = "GET", httpVersionMajor } = call.request;
      if (httpVersionMajor > 1) throw new GatewayError("LB_REQUEST_INVALID", "Requests of HTTP/2 are not relayed");
      // It has a target repeat what browsers keep from scripts.
      if (method === "TRACE") throw new GatewayError("LB_METHOD", "TRACE is not relayed");
      const request = {
        method,
        path: upstreamPath(call, path),
        headers: upstreamHeaders(call, {
          rules: rules.request,
          withoutCookie: (header) => this.balancer.withoutCookie(header),
        }),
      };
      const failed = (error: GatewayError) => this.#fail(call, error);
      const parts = this.#parts;
      // Any other protocol is ignored, as RFC 9110 §7.8 allows, and the request an ordinary one.
      if (upgrade !== undefined && webSockets && asksForWebSocket(call.request)) {
        this.#webSockets.add(upgrade.socket);
        upgrade.socket.once("close", () => this.#webSockets.delete(upgrade.socket));
        new Tunnel({ parts, call, request, upgrade, failed }).begin();
      } else new Exchange({ parts, call, request, failed }).begin();
    } catch (error) {
      this.#fail(call, error instanceof GatewayError ? error : ruleError(error));
    }
  }

  /** Plain JSON. */
  status(): UrlBalancerStatus {
    return this.balancer.status();
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
    await Promise.all([this.balancer.close(), this.#parts.upstreams.close()]);
  }

  #fail(call: Call, error: GatewayError): void {
    const { onError } = this.#settings;
    try {
      onError?.(error, call.request);
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
