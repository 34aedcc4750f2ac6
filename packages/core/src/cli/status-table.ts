import { styleText } from "node:util";
import { allInstances, type NamedInstance, readiness } from "../control/instance-names.ts";
import type { ClusterStatus, InstanceState } from "../control/status.ts";
import { counted, processEnd, span } from "../log/words.ts";
import { megabytes, ms, percent, shortNumber } from "./figures.ts";

const colours: Readonly<Record<InstanceState, Parameters<typeof styleText>[0]>> = {
  ready: "green",
  done: "green",
  starting: "yellow",
  draining: "yellow",
  drained: "yellow",
  unhealthy: "red",
  stopped: "red",
  "crash-loop": "red",
};

/** Styles `text` if standard output shows colours: a terminal does, a pipe does not, and `NO_COLOR` is heard. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Rows under titles, each column as wide as it has to be; those with numbers stand to the right. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[],
): string[] {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [styled("dim", line(titles)), ...rows.map(line)];
}

/** The state of a cluster for people. */
export function statusTable(status: ClusterStatus): string {
  const { name, mode, strategy, pid } = status;
  const instances = allInstances(status);
  const urls = urlsOf(status).join("  ");
  const head = `${styled("bold", name)}  ${urls}  ${mode}  ${strategy}  pid ${pid}  ${phaseOf(status)}`;
  const rows = instances.map(({ name: called, status: one }) => [
    called,
    one.state,
    String(one.pid ?? "-"),
    one.port === 0 ? "-" : String(one.port),
    one.uptimeMs === 0 ? "-" : span(one.uptimeMs),
    String(one.restarts),
    String(one.inFlight),
    String(one.requests),
    String(one.failures),
    one.vitals === null ? "-" : `${Math.round(one.vitals.cpu * 100)} %`,
    one.vitals === null ? "-" : megabytes(one.vitals.rssBytes),
  ]);
  const titles = ["id", "state", "pid", "port", "up", "restarts", "in flight", "requests", "failures", "cpu", "memory"];
  const [heading, ...lines] = table(titles, rows, [1]);
  // A backend may be called what a state is called.
  const named = Math.max(...instances.map(({ name: called }) => called.length));
  const body = lines.map((line, index) => {
    const { state } = instances[index]!.status;
    return line.slice(0, named) + line.slice(named).replace(state, styled(colours[state], state));
  });
  const troubles = instances.flatMap(troubleOf);
  const app = instances.length === 0 ? [] : ["", heading, ...body, ...(troubles.length === 0 ? [] : ["", ...troubles])];
  return [head, ...trafficLines(status), ...app, ...routeLines(status), ...backendLines(status)].join("\n");
}

/** In the last minute, and since the start. Nothing before there was a request. */
function trafficLines({ traffic, waiting }: ClusterStatus): readonly string[] {
  const { lastMinute, total, inFlight } = traffic;
  if (total.requests === 0) return [];
  const queue = waiting === 0 ? "" : `, ${waiting} waiting`;
  const now = `${inFlight} in flight${queue}`;
  const failures = total.byStatus["5xx"];
  const all = `${counted(total.requests, "request")}, ${failures === 0 ? "none" : failures} with 5xx`;
  if (lastMinute === null) return [`${all}  ${now}`];
  const { requestsPerSecond, failureShare, totalMs } = lastMinute;
  const failed = failureShare === 0 ? "" : `, ${styled("red", `${percent(failureShare)} failed`)}`;
  const times = totalMs.p50 === null ? "" : `  p50 ${ms(totalMs.p50)}, p95 ${ms(totalMs.p95)}, p99 ${ms(totalMs.p99)}`;
  return [
    `${shortNumber(requestsPerSecond)} requests/s${failed}${times}  ${now}  (last minute; since the start ${all})`,
  ];
}

/** Where there are routes: what each of them got. */
function routeLines({ traffic }: ClusterStatus): readonly string[] {
  const routes = Object.entries(traffic.routes);
  if (routes.every(([name]) => name === "")) return [];
  const rows = routes.map(([name, { requests, byStatus, totalMs }]) => [
    name === "" ? "(no route)" : name,
    String(requests),
    String(byStatus["4xx"]),
    String(byStatus["5xx"]),
    ms(totalMs.p50),
    ms(totalMs.p95),
  ]);
  return ["", ...table(["route", "requests", "4xx", "5xx", "p50", "p95"], rows, [0])];
}

const backendColours = { ready: "green", unhealthy: "red", draining: "yellow" } as const;

/** Of those that are run here, the instances say it. */
function backendLines(status: ClusterStatus): readonly string[] {
  const backends = status.backends.filter(({ kind }) => kind === "endpoints");
  if (backends.length === 0) return [];
  const all = backends.flatMap(({ name, endpoints }) => endpoints.map((endpoint) => ({ name, ...endpoint })));
  const zoned = all.some(({ zone }) => zone !== null);
  const rows = all.map(({ name, state, url, zone, weight, inFlight, requests, failures }) => [
    name,
    state,
    url,
    ...(zoned ? [zone ?? "-"] : []),
    ...[weight, inFlight, requests, failures].map(String),
  ]);
  const titles = ["weight", "in flight", "requests", "failures"];
  const [heading = "", ...lines] = table(
    ["backend", "state", "url", ...(zoned ? ["zone"] : []), ...titles],
    rows,
    zoned ? [0, 1, 2, 3] : [0, 1, 2],
  );
  const shown = lines.map((line, at) => {
    const { state, name } = all[at]!;
    return line.slice(0, name.length) + line.slice(name.length).replace(state, styled(backendColours[state], state));
  });
  const none = backends.filter(({ endpoints }) => endpoints.length === 0).map(({ name }) => `${name} has no endpoints`);
  return ["", heading, ...shown, ...none];
}

/** All places where it accepts; before they are open, nowhere. */
export function urlsOf({ listeners }: ClusterStatus): readonly string[] {
  return listeners.length === 0 ? ["-"] : listeners.map(({ url }) => url);
}

/** Of an instance without a process: how the last one ended, and when the next one starts. */
export function troubleOf({ name, status: { pid, lastExit, retryInMs } }: NamedInstance): string[] {
  if (pid !== null || lastExit === null) return [];
  const next = retryInMs === null ? "" : `; next attempt in ${span(retryInMs)}`;
  return [`instance ${name} ${processEnd(lastExit)} ${span(lastExit.agoMs)} ago${next}`];
}

/** What goes on in it: `up 4 h`, `starting, 2 of 4 ready`. */
export function phaseOf(status: ClusterStatus): string {
  const { phase, uptimeMs } = status;
  switch (phase) {
    case "starting":
      return `starting, ${readiness(status)} ready`;
    case "closing":
      return "closing";
    case "running":
      return reloadOf(status) ?? `up ${span(uptimeMs)}`;
  }
}

function reloadOf({ reload, backends }: ClusterStatus): string | undefined {
  if (reload !== null) return `reloading, ${reload.done} of ${reload.total} replaced`;
  const { name, reload: one = null } = backends.find((backend) => backend.reload !== null) ?? {};
  return one === null ? undefined : `reloading ${name}, ${one.done} of ${one.total} replaced`;
}
