import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { SuccessorChecks } from "../supervisor/replacement.ts";
import type { InstanceProbes } from "./instance-probes.ts";
import type { Traffic } from "./traffic.ts";

/** A new instance is found healthy by probes, if there are any, and then by what becomes of its requests. */
export function successorChecks(
  { startTimeoutMs }: ClusterSettings,
  traffic: Traffic,
  probes: InstanceProbes | undefined,
): SuccessorChecks {
  return {
    async verify(endpoint) {
      await probes?.verify(endpoint, startTimeoutMs);
    },
    watch: (endpoint, unhealthy) => traffic.watch(endpoint, unhealthy),
  };
}
