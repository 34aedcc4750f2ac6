import type { ResponseRules } from "../../http/response-rules.ts";
import type { Clock } from "../../model/clock.ts";
import type { HttpLimits } from "../../options/limit-options.ts";
import type { PublicConnection } from "../connection-table.ts";
import type { DeadlineWheel } from "../deadline-wheel.ts";
import type { RequestLimit } from "../request-limit.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import type { Router } from "./router.ts";
import type { Way } from "./way.ts";

/** What every connection of one front shares. */
export interface FrontContext {
  readonly settings: FrontSettings;
  /** Within which heads are read, before it is known where they go. */
  readonly headLimits: HttpLimits;
  /** Of requests that take no route. */
  readonly way: Way;
  /** Knows who takes which route; undefined: there are none. */
  readonly router: Router | undefined;
  /** How many requests may pass where there are no routes. Undefined: all. */
  readonly limit: RequestLimit | undefined;
  /** Those who may answer instead of the app. */
  readonly responders: readonly Responder[];
  /** What becomes of the fields of our own answers; undefined: nothing does. */
  readonly responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  /** No connection is kept alive any longer. */
  readonly draining: boolean;
  /** One of the connections passes bytes unread from now on. */
  tunnelOpened(): void;
  connectionClosed(connection: PublicConnection, wasTunnel: boolean): void;
}
