import type { Reading } from "../../alerts/incident-book.ts";
import { instanceName } from "../../control/instance-names.ts";
import type { ClusterEventMap } from "../../events/cluster-event-map.ts";
import type { ClusterEvents } from "../../events/cluster-events.ts";
import { counted, processEnd, span, unended } from "../../log/words.ts";
import type { CrashLoopEvent, ExitEvent, StartFailedEvent } from "../../supervisor/events.ts";

/** Has what happens noted where a look now and then would miss it. */
export function noteEvents(events: ClusterEvents<ClusterEventMap>, note: (reading: Reading) => void): void {
  /** The app, and backends, that are being reloaded: whoever cannot start then is told of by the reload. */
  const reloading = new Set<string | undefined>();
  const died = (event: ExitEvent | StartFailedEvent | CrashLoopEvent, backend?: string) => {
    if (event.kind === "start-failed" && reloading.has(backend)) return;
    const reading = deathReading(event, instanceName(event.instance, backend));
    if (reading !== undefined) note(reading);
  };
  events.on("exit", (event) => died(event));
  events.on("start-failed", (event) => died(event));
  events.on("crash-loop", (event) => died(event));
  events.on("backend-program", ({ backend, event }) => {
    if (event.kind === "exit" || event.kind === "start-failed" || event.kind === "crash-loop") died(event, backend);
  });
  events.on("reload", (event) => {
    if (event.step === "finished" || event.step === "rolled-back") reloading.delete(event.backend);
    else reloading.add(event.backend);
    const reading = reloadReading(event);
    if (reading !== undefined) note(reading);
  });
  // What is told as it happens is over when it is told no more.
  const happened = (reading: Omit<Reading, "seen" | "severity">) => {
    note({ ...reading, severity: "warning", seen: "bad" });
    note({ ...reading, severity: "warning", seen: "good" });
  };
  events.on("connections-refused", ({ limit, refused }) => {
    const summary = `${counted(refused, "connection")} refused: ${limit} are open, which is the most`;
    happened({ rule: "connectionsRefused", subject: "cluster", summary });
  });
  events.on("requests-refused", ({ reason, route, backend, refused }) => {
    const subject = route !== undefined ? `route ${route}` : backend !== undefined ? `backend ${backend}` : "cluster";
    const summary = `${counted(refused, "request")} refused at ${subject}: ${refusals[reason]}`;
    happened({ rule: "queueFull", subject, summary });
  });
  events.on("request-quarantined", ({ method, url, deaths, forMs }) => {
    const subject = `${method} ${url}`;
    const summary = `${subject} ended ${counted(deaths, "instance")} and is quarantined for ${span(forMs)}`;
    happened({ rule: "quarantine", subject, summary });
  });
  events.on("access-log-dropped", ({ dropped, error }) => {
    const why = error === undefined ? "" : `: ${unended(error.message)}`;
    happened({
      rule: "accessLog",
      subject: "cluster",
      summary: `${counted(dropped, "line")} of the access log lost${why}`,
    });
  });
}

const refusals: Readonly<Record<ClusterEventMap["requests-refused"]["reason"], string>> = {
  "queue-full": "too many wait already",
  "wait-timeout": "nobody could take them in time",
  overload: "more than can be answered in good time",
};

function deathReading(event: ExitEvent | StartFailedEvent | CrashLoopEvent, name: string): Reading | undefined {
  const subject = `instance ${name}`;
  const of = { rule: "instance", subject, seen: "bad", severity: "warning" } as const;
  switch (event.kind) {
    case "exit":
      return event.reason === "crashed" ? { ...of, summary: `${subject} ${processEnd(event)}` } : undefined;
    case "start-failed":
      return { ...of, summary: `${subject} cannot start: ${unended(event.error.message)}` };
    case "crash-loop": {
      const summary = `${subject} is in a crash loop: it ended ${event.deaths} times in a row, next attempt in ${span(event.retryInMs)}`;
      return { ...of, seen: "urgent", severity: "critical", summary };
    }
  }
}

function reloadReading({ backend, step, error }: ClusterEventMap["reload"]): Reading | undefined {
  if (step !== "finished" && step !== "rolled-back") return undefined;
  const what = backend === undefined ? "a reload" : `a reload of ${backend}`;
  return {
    rule: "reload",
    subject: backend === undefined ? "the app" : `backend ${backend}`,
    severity: "warning",
    seen: step === "finished" ? "good" : "bad",
    summary: `${what} was rolled back: ${unended(error?.message ?? "it failed")}`,
  };
}
