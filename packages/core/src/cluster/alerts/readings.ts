import type { Reading } from "../../alerts/incident-book.ts";
import type { Seen } from "../../alerts/incident-state.ts";
import type { ClusterSight } from "../../control/cluster-sight.ts";
import { allInstances, type NamedInstance } from "../../control/instance-names.ts";
import type { BackendStatus, CertificateStatus, InstanceStatus, Standing } from "../../control/status.ts";
import { latencyQuantile } from "../../facts/latency-histogram.ts";
import { listed, span } from "../../log/words.ts";
import type { AlertRule } from "../../model/alert.ts";
import type { AlertRuleSettings } from "../../options/alert-rule-options.ts";

/** What the cluster may have. */
export interface Machine {
  readonly processors: number;
  readonly memoryBytes: number;
}

export interface Look {
  readonly sight: ClusterSight;
  readonly on: AlertRuleSettings;
  readonly machine: Machine;
  /** Of the wall clock. */
  readonly now: number;
}

/** How instances look, those apart of which nothing can be said now. */
export function instanceReadings(status: Standing): readonly Reading[] {
  return allInstances(status).flatMap((instance) => instanceReading(instance) ?? []);
}

/** Undefined: it starts, or waits for that. */
function instanceReading({ name, status: { state, lastExit } }: NamedInstance): Reading | undefined {
  const subject = `instance ${name}`;
  const of = { rule: "instance", subject, severity: "warning" } as const;
  switch (state) {
    case "ready":
    case "draining":
    case "drained":
    case "done":
      return { ...of, seen: "good", summary: "" };
    case "unhealthy":
      return { ...of, seen: "bad", summary: `${subject} gets no requests, being silent or unhealthy` };
    case "crash-loop": {
      const how = lastExit === null ? "" : `, last ${exitWords(lastExit)}`;
      return { ...of, severity: "critical", seen: "urgent", summary: `${subject} is in a crash loop${how}` };
    }
    case "starting":
    case "stopped":
      return undefined;
  }
}

function exitWords({ exitCode, signal }: Pick<NonNullable<InstanceStatus["lastExit"]>, "exitCode" | "signal">): string {
  return signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
}

/** What readings of a rule may be about now: what is gone is wrong no more. */
export function subjectsOf(status: Standing, readings: readonly Reading[]): ReadonlyMap<AlertRule, Set<string>> {
  const subjects = new Map<AlertRule, Set<string>>(
    (["backend", "eventLoop", "redis", "certificate"] as const).map((rule) => [rule, new Set()]),
  );
  for (const { rule, subject } of readings) subjects.get(rule)?.add(subject);
  return subjects.set("instance", new Set(allInstances(status).map(({ name }) => `instance ${name}`)));
}

/** Whether somebody takes requests of the app's, and of each backend. */
export function backendReadings({ instances, backends }: Standing): readonly Reading[] {
  const of = (subject: string, total: number, up: number): Reading => ({
    rule: "backend",
    subject,
    severity: "critical",
    seen: total > 0 && up === 0 ? "bad" : "good",
    summary: `${subject} is down: none of ${total} takes requests`,
  });
  const takes = ({ state }: { readonly state: string }) => state === "ready";
  const named = ({ name, endpoints, instances: programs }: BackendStatus) => {
    const all = programs.length > 0 ? programs : endpoints;
    return of(`backend ${name}`, all.length, all.filter(takes).length);
  };
  return [of("the app", instances.length, instances.filter(takes).length), ...backends.map(named)];
}

/** What is measured over all requests. */
export function trafficReadings({ sight: { history }, on }: Look): readonly Reading[] {
  const readings: Reading[] = [];
  if (on.errorRate) {
    const { forMs, minRequests, above, recoverBelow } = on.errorRate;
    const { requests = 0, failures = 0 } = history.over(forMs) ?? {};
    const share = requests === 0 ? 0 : failures / requests;
    const seen =
      requests < minRequests ? (failures === 0 ? "good" : "between") : sizeOf(share, { above, recoverBelow });
    const summary = `${percent(share)} of the requests failed in the last ${span(forMs)} (${failures} of ${requests})`;
    readings.push({ rule: "errorRate", subject: "cluster", severity: "critical", seen, summary });
  }
  if (on.latency) {
    const { forMs, minRequests, above, recoverBelow } = on.latency;
    const latency = history.over(forMs)?.latency;
    const p95 = latency === undefined ? null : latencyQuantile(latency, 0.95);
    const seen = p95 === null ? "good" : sizeOf(p95, { above, recoverBelow });
    const enough = (latency?.count ?? 0) >= minRequests;
    const summary = `requests took ${span(p95 ?? 0)} (p95 of the last ${span(forMs)}), more than ${span(above)}`;
    readings.push({
      rule: "latency",
      subject: "cluster",
      severity: "warning",
      seen: enough || seen === "good" ? seen : "between",
      summary,
    });
  }
  return readings;
}

/** What the cluster takes of the machine it is on. */
export function machineReadings({ sight: { history }, on, machine }: Look): readonly Reading[] {
  const span = history.last(1_000).at(-1);
  if (span === undefined) return [];
  const reading = (rule: "cpu" | "memory", share: number, what: string): readonly Reading[] => {
    const limits = on[rule];
    if (limits === false) return [];
    const summary = `the cluster uses ${percent(share)} of the ${what}`;
    return [{ rule, subject: "cluster", severity: "warning", seen: sizeOf(share, limits), summary }];
  };
  return [
    ...reading("cpu", span.cpu / machine.processors, `processors (${machine.processors})`),
    ...reading("memory", span.rssBytes / machine.memoryBytes, `memory (${megabytes(machine.memoryBytes)})`),
  ];
}

/** How busy the primary and the instances are, each by itself: one event loop is all that it has. */
export function loopReadings({ sight, on: { eventLoop } }: Look, status: Standing): readonly Reading[] {
  if (eventLoop === false) return [];
  const all = [
    { subject: "the primary", busy: sight.primary?.loopUtilization },
    ...allInstances(status).map(({ name, status: { vitals } }) => ({
      subject: `instance ${name}`,
      busy: vitals?.loopUtilization,
    })),
  ];
  return all.flatMap(({ subject, busy }): readonly Reading[] => {
    if (busy === undefined) return [];
    const summary = `the event loop of ${subject} is busy for ${percent(busy)} of the time`;
    return [{ rule: "eventLoop", subject, severity: "warning", seen: sizeOf(busy, eventLoop), summary }];
  });
}

/** Events of Socket.IO that do not reach the other instances are missed by their clients. */
export function redisReadings(status: Standing): readonly Reading[] {
  const using = allInstances(status).filter(({ status: { vitals } }) => vitals?.redis !== undefined);
  if (using.length === 0) return [];
  const away = using.filter(({ status: { vitals } }) => vitals!.redis === "degraded").map(({ name }) => name);
  const some = using.some(({ status: { vitals } }) => vitals!.redis === "connecting");
  return [
    {
      rule: "redis",
      subject: "Redis",
      severity: "critical",
      seen: away.length > 0 ? "bad" : some ? "between" : "good",
      summary: `Redis is away: ${away.length === 1 ? "instance" : "instances"} ${listed(away)} cannot reach the others over it`,
    },
  ];
}

const dayMs = 86_400_000;

export function certificateReadings(
  { on: { certificate }, now }: Look,
  { certificates }: Standing,
): readonly Reading[] {
  if (certificate === false) return [];
  return certificates.map((one) => certificateReading(one, certificate.days, now));
}

/** Short-lived ones, which are renewed by programs, have two thirds of their life for that. */
function certificateReading({ names, validFrom, expiresAt }: CertificateStatus, days: number, now: number): Reading {
  const [from, to] = [Date.parse(validFrom), Date.parse(expiresAt)];
  const leftMs = to - now;
  const isBad = leftMs < Math.min(days * dayMs, (to - from) / 3);
  const subject = `certificate ${names[0]}`;
  const when =
    leftMs <= 0 ? "has expired" : `expires in ${span(leftMs)}, on ${expiresAt.slice(0, 16).replace("T", " ")} UTC`;
  return {
    rule: "certificate",
    subject,
    severity: leftMs < dayMs ? "critical" : "warning",
    seen: isBad ? "bad" : "good",
    summary: `the certificate of ${listed(names.slice(0, 5))} ${when}`,
  };
}

function sizeOf(value: number, limits: { readonly above: number; readonly recoverBelow: number }): Seen {
  return value > limits.above ? "bad" : value > limits.recoverBelow ? "between" : "good";
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))} %`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}
