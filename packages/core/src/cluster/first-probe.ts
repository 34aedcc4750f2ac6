import type { Clock } from "../model/clock.ts";
import type { Address } from "../model/endpoint.ts";
import type { ActiveSettings, HealthSettings } from "../options/health-options.ts";
import { type HttpProbe, type ProbeResult, sendProbe } from "../probe/http-probe.ts";
import { reachedAt } from "../supervisor/ports.ts";
import type { FirstProbe } from "../supervisor/worker-contract.ts";

/** A new instance, and how it is probed. */
export interface ProbedInstance {
  readonly settings: Pick<ActiveSettings, "path" | "intervalMs" | "timeoutMs" | "expectStatus"> &
    Pick<HttpProbe, "expectBody">;
  readonly address: Address;
  readonly clock: Clock;
}

/** What an instance has to pass before it is ready, besides its own. Undefined: the settings ask for nothing. */
export function firstProbe(
  { active }: Pick<HealthSettings, "active">,
  host: string,
  clock: Clock,
): ((port: number) => FirstProbe) | undefined {
  if (active === false || !active.requireFirstProbe) return undefined;
  return (port) => beginFirstProbe({ settings: active, address: { kind: "tcp", host: reachedAt(host), port }, clock });
}

/** A new worker is probed at this pace, or at that of the settings if it is faster: somebody waits for it. */
const pauseMs = 250;

/** Probes one that listens, and is not ready before a probe has succeeded. */
export function beginFirstProbe(instance: ProbedInstance): FirstProbe {
  const { path } = instance.settings;
  let stopped = false;
  const begun = {
    found: `GET ${path} has not been answered`,
    stop: () => {
      stopped = true;
    },
  };
  const probe = async () => {
    while (!stopped) {
      const result = await probeNow(instance);
      if (result.kind === "up") return;
      begun.found = `GET ${path}: ${whatCame(result)}`;
      await pause(instance);
    }
  };
  return Object.assign(begun, { passed: probe() });
}

export function probeNow({ settings, address, clock }: ProbedInstance): Promise<ProbeResult> {
  return new Promise((found) => {
    sendProbe({ ...settings, at: { address }, clock }, { found, closed: () => {} });
  });
}

export function pause({ settings, clock }: ProbedInstance): Promise<void> {
  const ms = Math.min(settings.intervalMs, pauseMs);
  return new Promise((resolve) => void clock.after(ms, resolve, { keepAlive: true }));
}

/** As the end of a sentence. */
export function whatCame(result: ProbeResult): string {
  if (result.kind === "up" || result.reason === "status") return `status ${result.status}`;
  if (result.reason === "body") return "another body than was expected";
  return result.reason === "timeout" ? "no answer" : result.error.message;
}
