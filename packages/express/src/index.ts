export { type Balance, balance } from "./balance.ts";
export { GatewayError, type GatewayErrorCode } from "./errors.ts";
export type {
  BalanceOptions,
  HeaderRule,
  HeaderRules,
  RetryCause,
  RetryOptions,
  Targets,
  TimeoutOptions,
} from "./gateway/options.ts";
export * from "./guards.ts";
