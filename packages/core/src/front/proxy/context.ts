import type { Balancer } from "../../balancer/balancer.ts";
import type { Routing } from "../../balancer/routing.ts";
import type { ResponseRules } from "../../http/response-rules.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { PublicConnection } from "../connection-table.ts";
import type { DeadlineWheel } from "../deadline-wheel.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import type { Transport } from "../transport/upstream.ts";
import type { Suspects } from "./suspects.ts";

/** An endpoint as the front reaches it. */
export interface Backend {
  readonly transport: Transport;
  /** Complete response header lines to add for this endpoint, or `""`. */
  readonly responseLines: string;
}

/** What every connection of one front shares. */
export interface FrontContext {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  /** Knows where requests belong; undefined: they belong nowhere. */
  readonly routing: Routing | undefined;
  /** Those who may answer instead of the app. */
  readonly responders: readonly Responder[];
  /** What becomes of the fields of responses; undefined: nothing does. */
  readonly responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly suspects: Suspects;
  readonly backends: ReadonlyMap<Endpoint, Backend>;
  /** No connection is kept alive any longer. */
  readonly draining: boolean;
  /** The endpoint, which is gone, was not ended by us, and nothing else is known that explains it. */
  diedByItself(endpoint: Endpoint): boolean;
  /** One of the connections passes bytes unread from now on. */
  tunnelOpened(): void;
  connectionClosed(connection: PublicConnection, wasTunnel: boolean): void;
}
