import { Affinity } from "../affinity/affinity.ts";
import { requestIds } from "../http/request-ids.ts";
import { responseRules } from "../http/response-rules.ts";
import { traceContexts } from "../http/trace-contexts.ts";
import type { GateFacts } from "../ipc/messages.ts";
import type { WorkerFacts } from "../ipc/worker-facts.ts";
import { systemWallClock } from "../model/clock.ts";
import { redactedIn } from "../options/access-log-options.ts";
import { matchesNone } from "../options/address-ranges.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { parseGateOptions } from "../options/gate-options.ts";
import { requestIdsOf } from "../options/request-id-options.ts";
import { sessionAffinity } from "../plane/plane-routing.ts";
import type { GateSettings } from "../worker/handoff/handoff-gate.ts";

/**
 * What an instance sees to itself in hand-off mode: as the primary has it, with the functions of its own program.
 *
 * @throws OptionError if its program has them no longer
 */
export function instanceGate(
  { options, secret }: GateFacts,
  own: ClusterOptions,
  { sessionPrefix, host, port }: WorkerFacts,
): GateSettings {
  const settings = parseGateOptions(options, own);
  const { affinity, healthEndpoints, allowedHosts, allowedOrigins, trustedProxies, backendHeader } = settings;
  const { headers, securityHeaders, accessLog, tracing } = settings;
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
    allowedHosts,
    allowedOrigins,
    trustsPeer: trustedProxies === matchesNone ? undefined : trustedProxies,
    healthPath: healthEndpoints === false ? undefined : healthEndpoints.path,
    responseFields: backendHeader ? ["X-Backend-Server", `${host}:${port}`] : [],
    requestRules: headers.request,
    responseRules: responseRules({ rules: headers.response, security: securityHeaders }),
    requestIds: requestIds(requestIdsOf(settings)),
    // A function of the primary's is called there, with all that there is.
    traces: traceContexts(tracing),
    redact: redactedIn(accessLog),
    lines:
      accessLog === false ? undefined : { ...accessLog, format: accessLog.format === "combined" ? "combined" : "json" },
  };
}
