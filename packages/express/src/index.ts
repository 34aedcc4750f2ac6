export { type Balance, balance } from "./balance.ts";
export { GatewayError, type GatewayErrorCode } from "./errors.ts";
export type { CookieOptions } from "./gateway/cookie-options.ts";
export type { GatewayStatus } from "./gateway/gateway.ts";
export type { HeaderFields, HeaderHook, HeaderOptions, HeaderRule, HeaderRules } from "./gateway/header-options.ts";
export type { MirrorOptions } from "./gateway/mirror-options.ts";
export type { BalanceOptions, LimitOptions, RetryCause, RetryOptions, TimeoutOptions } from "./gateway/options.ts";
export type { PathOption } from "./gateway/path-options.ts";
export type { RequestLog, RequestLogEntry, RequestOutcome } from "./gateway/request-log.ts";
export type {
  ResponseChange,
  ResponseHook,
  ResponseVerdict,
  TargetResponse,
} from "./gateway/response-options.ts";
export type { RoutedTo, Router, Targets } from "./gateway/target-options.ts";
export type { WebSocketEnd, WebSocketHooks, WebSocketMessage } from "./gateway/web-socket-options.ts";
export * from "./guards.ts";
