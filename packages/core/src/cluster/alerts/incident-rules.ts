import type { IncidentTimes } from "../../alerts/incident-state.ts";
import type { AlertRule } from "../../model/alert.ts";
import type { AlertRuleSettings } from "../../options/alert-rule-options.ts";

/** What has not happened again for so long is over. */
const eventOverMs = 60_000;
/** What was measured over a time that passed has lasted already. */
const measured: IncidentTimes = { forMs: 0, recoverForMs: 0, tellsBrief: false };

/** The rules that are on, and how long their incidents last at least. */
export function incidentRules(on: AlertRuleSettings): ReadonlyMap<AlertRule, IncidentTimes> {
  const happened: IncidentTimes = { forMs: 0, recoverForMs: eventOverMs, tellsBrief: false };
  const all: Readonly<Record<AlertRule, IncidentTimes | false>> = {
    // A crash is worth a word also when it was mended at once.
    instance: on.instance && { ...on.instance, tellsBrief: true },
    backend: on.backend && { ...on.backend, tellsBrief: false },
    reload: on.reload && measured,
    errorRate: on.errorRate && measured,
    latency: on.latency && measured,
    cpu: on.cpu && held(on.cpu.forMs),
    memory: on.memory && held(on.memory.forMs),
    eventLoop: on.eventLoop && held(on.eventLoop.forMs),
    connectionsRefused: on.connectionsRefused && happened,
    queueFull: on.queueFull && happened,
    quarantine: on.quarantine && happened,
    accessLog: on.accessLog && happened,
    redis: on.redis && { ...on.redis, tellsBrief: false },
    certificate: on.certificate && measured,
  };
  return new Map(Object.entries(all).flatMap(([rule, times]) => (times === false ? [] : [[rule as AlertRule, times]])));
}

/** Good again for a fifth of the time in which it had to be bad, a minute being enough of that. */
function held(forMs: number): IncidentTimes {
  return { forMs, recoverForMs: Math.min(eventOverMs, forMs / 5), tellsBrief: false };
}
