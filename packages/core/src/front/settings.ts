import type { AddressRange } from "../model/address-range.ts";
import type { RetrySettings } from "../model/retry-policy.ts";
import type { HeaderSettings } from "../options/header-options.ts";
import type { Http2Settings } from "../options/http2-options.ts";
import type { HttpsSettings } from "../options/https-options.ts";
import type { LimitSettings } from "../options/limit-options.ts";
import type { ListenerSettings } from "../options/listener-settings.ts";
import type { QuarantineSettings } from "../options/quarantine-options.ts";
import type { RateLimitSettings } from "../options/rate-limit-options.ts";
import type { RequestIdSettings } from "../options/request-id-options.ts";
import type { SecurityHeaderSettings } from "../options/security-header-options.ts";
import type { TimeoutSettings } from "../options/timeout-options.ts";
import type { TraceSettings } from "../options/tracing-options.ts";

export interface FrontSettings {
  /** One at least. */
  readonly listeners: readonly ListenerSettings[];
  /** What those with TLS have in common. */
  readonly https: HttpsSettings | false;
  /** What those without it do beside them. */
  readonly http: "serve" | "redirect";
  /** HTTP/2 on that one. */
  readonly http2: Http2Settings | false;
  /** Adds `X-Backend-Server: host:port` to each response. */
  readonly backendHeader: boolean;
  /** Whether the peer with this address may set forwarding headers. */
  readonly trustsPeer: (address: string) => boolean;
  /** Who is kept out from the beginning. */
  readonly denyList: readonly AddressRange[];
  /** What becomes of the fields of messages that pass. */
  readonly headers: HeaderSettings;
  /** By which requests are found again. Absent: they have none. */
  readonly requestId?: RequestIdSettings | false | undefined;
  /** Responses say what their parts took. */
  readonly serverTiming: boolean;
  /** Which requests are traced. Absent: none, and what is said of traces passes. */
  readonly tracing?: TraceSettings | false | undefined;
  /** Responses get those that they have not. */
  readonly securityHeaders: SecurityHeaderSettings | false;
  readonly limits: LimitSettings;
  /** Of requests that take no route with a limit of its own. */
  readonly rateLimit: RateLimitSettings | false;
  readonly timeouts: TimeoutSettings;
  readonly retry: RetrySettings;
  /** What becomes of requests that end their instances. Absent, or `false`: nobody knows them. */
  readonly quarantine?: QuarantineSettings | false | undefined;
  /**
   * The system numbers descriptors from the lowest that is free: a connection with this number or one above finds the table
   * nearly full, and is answered 503 and closed, so that what else this process has to open can be opened.
   */
  readonly maxDescriptor: number;
  /** Hosts that requests may name, in lower case and without port; others get 421. Absent: any. */
  readonly allowedHosts?: ReadonlySet<string>;
  /** Origins a WebSocket may be opened from, e.g. `"https://app.example"`; others get 403. Absent: any. */
  readonly allowedOrigins?: ReadonlySet<string>;
}
