import { Affinity } from "../affinity/affinity.ts";
import type { WorkerFacts } from "../ipc/worker-facts.ts";
import { systemWallClock } from "../model/clock.ts";
import { matchesNone } from "../options/address-ranges.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { sessionAffinity } from "../plane/plane-routing.ts";
import type { GateSettings } from "../worker/handoff/handoff-gate.ts";

/**
 * What an instance sees to itself in hand-off mode. Its options are those of the primary, since it runs the same program;
 * the secret, which may be of the primary's start only, comes from there.
 */
export function instanceGate(
  { affinity, front, healthEndpoints }: ClusterSettings,
  { sessionPrefix, host, port }: WorkerFacts,
  secret: string | undefined,
): GateSettings {
  const decides = (settings: AffinitySettings | undefined) =>
    settings === undefined || secret === undefined
      ? undefined
      : new Affinity({
          settings,
          secret,
          wallClock: systemWallClock,
          // The primary's event is for those who look there; here it would have no listener.
          keyFailed: (error) => process.emitWarning(error.message, { code: error.code }),
        });
  return {
    affinity: decides(affinity),
    sessions: decides(affinity === undefined && sessionPrefix !== undefined ? sessionAffinity : undefined),
    allowedHosts: front.allowedHosts,
    allowedOrigins: front.allowedOrigins,
    trustsPeer: front.trustsPeer === matchesNone ? undefined : front.trustsPeer,
    healthPath: healthEndpoints === false ? undefined : healthEndpoints.path,
    responseFields: front.backendHeader ? ["X-Backend-Server", `${host}:${port}`] : [],
  };
}
