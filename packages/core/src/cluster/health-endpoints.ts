import { createHash, timingSafeEqual } from "node:crypto";
import type { ClusterStatus } from "../control/status.ts";
import type { HealthAnswers } from "../front/health-responder.ts";
import type { HealthAnswer, HealthCheck } from "../ipc/health-check.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { HealthEndpointSettings } from "../options/health-endpoint-options.ts";

export interface HealthEndpointsOptions {
  readonly settings: HealthEndpointSettings;
  readonly status: () => ClusterStatus;
}

/** The endpoints `/health`, `/health/live`, `/health/ready` and `/health/detailed` of the public port. */
export class HealthEndpoints implements HealthAnswers {
  readonly path: string;
  readonly #options: HealthEndpointsOptions;

  constructor(options: HealthEndpointsOptions) {
    this.#options = options;
    this.path = options.settings.path;
  }

  answer(check: HealthCheck): HealthAnswer | undefined {
    const { path } = check;
    if (!path.startsWith(this.path)) return undefined;
    switch (path.slice(this.path.length)) {
      case "":
      case "/ready":
        return answer(this.#summary());
      case "/live":
        return { status: 200, body: '{"status":"ok"}' };
      case "/detailed":
        if (!this.#showsDetailsTo(check)) return { status: 403, body: '{"status":"forbidden"}' };
        return answer(this.#summary(), { cluster: this.#options.status() });
      default:
        return undefined;
    }
  }

  #showsDetailsTo({ clientAddress, indirect, token: shown }: HealthCheck): boolean {
    const { token, showsDetails } = this.#options.settings;
    if (token !== undefined && shown !== undefined && isSameSecret(shown, token)) return true;
    return !indirect && showsDetails(clientAddress);
  }

  #summary(): Summary {
    const { phase, instances: own, backends } = this.#options.status();
    // Where there is no app, all that are run here are one, each as good as the other.
    const served = backends.filter(({ kind }) => kind === "app" || kind === "program");
    const instances = own.length > 0 ? own : served.flatMap((backend) => backend.instances);
    const ready = instances.filter(({ state }) => state === "ready").length;
    return { status: summed(phase, ready, instances.length), ready, instances: instances.length };
  }
}

function summed(phase: ClusterStatus["phase"], ready: number, instances: number): Summary["status"] {
  if (phase === "closing") return "draining";
  if (ready === 0 && instances > 0) return "unavailable";
  return ready < instances ? "degraded" : "ok";
}

/** Takes as long whatever is shown. */
function isSameSecret(shown: string, secret: string): boolean {
  const [one, other] = [shown, secret].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one!, other!);
}

interface Summary {
  readonly status: "ok" | "degraded" | "unavailable" | "draining";
  readonly ready: number;
  readonly instances: number;
}

function answer(summary: Summary, more: object = {}): HealthAnswer {
  const serves = summary.status === "ok" || summary.status === "degraded";
  return { status: serves ? 200 : 503, body: JSON.stringify({ ...summary, ...more }) };
}

/** Undefined: the settings ask for none. */
export function healthEndpoints(
  { healthEndpoints: settings }: ClusterSettings,
  status: () => ClusterStatus,
): HealthEndpoints | undefined {
  return settings === false ? undefined : new HealthEndpoints({ settings, status });
}
