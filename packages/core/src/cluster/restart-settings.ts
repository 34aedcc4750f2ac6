import type { ReloadSettings } from "../options/reload-options.ts";

/** Single instances are never worth a watch shorter than what a crash at the first requests takes to show. */
export const restartSettings: ReloadSettings = Object.freeze({
  parallelism: 1,
  maxUnavailable: 0,
  watchMs: 1_000,
  rollback: "instance",
});
