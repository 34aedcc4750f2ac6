import type { SuccessorChecks } from "../supervisor/replacement.ts";
import type { InstancesInTraffic } from "./group-traffic.ts";
import type { InstanceProbes } from "./instance-probes.ts";

/** A new instance is found healthy by probes, if there are any, and then by what becomes of its requests. */
export function successorChecks(
  startTimeoutMs: number,
  traffic: InstancesInTraffic,
  probes: InstanceProbes | undefined,
): SuccessorChecks {
  return {
    async verify(endpoint) {
      await probes?.verify(endpoint, startTimeoutMs);
    },
    watch: (endpoint, unhealthy) => traffic.watch(endpoint, unhealthy),
  };
}
