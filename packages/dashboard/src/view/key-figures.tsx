import type { ComponentChildren } from "preact";
import type { Sample } from "../api/status-feed.ts";
import type { ClusterStatus, HistorySpan } from "../api/types.ts";
import { bytes, count, milliseconds, percent, rate } from "../figures/format.ts";
import { countedRequests, ratesOver } from "../figures/rates.ts";
import { toneOf } from "../figures/state-tone.ts";

/** From this on errors are shown as bad; the share at which there is an alert by default. */
export const manyErrors = 0.05;

/** What is looked at first. */
export function KeyFigures({
  samples,
  newest,
}: {
  readonly samples: readonly Sample[];
  readonly newest: HistorySpan | undefined;
}) {
  const status = samples.at(-1)!.status;
  const { total, lastMinute, inFlight, listeners } = status.traffic;
  const rates = ratesOver(samples, ({ traffic }) => countedRequests(traffic.total));
  const failed = countedRequests(total).failures;
  const share = lastMinute?.failureShare;
  const latency = lastMinute?.totalMs;
  const refused = listeners.reduce((sum, { refused }) => sum + Object.values(refused).reduce((a, b) => a + b, 0), 0);
  return (
    <section class="figures" aria-label="At a glance">
      <Instances status={status} />
      <Figure
        name="Requests"
        value={rate(rates?.requestsPerSecond ?? lastMinute?.requestsPerSecond)}
        unit="/s"
        id="requests"
      >
        <span data-figure="total">{count(total.requests)}</span> in all
      </Figure>
      <Figure
        name="Errors, 1 min"
        value={percent(share)}
        tone={share !== undefined && share >= manyErrors ? "bad" : undefined}
        id="errors"
      >
        {count(failed)} in all
      </Figure>
      <div class="figure wide">
        <h2>Response time, 1 min</h2>
        <dl class="quantiles">
          {(["p50", "p95", "p99"] as const).map((name) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd data-figure={name}>{milliseconds(latency?.[name])}</dd>
            </div>
          ))}
        </dl>
      </div>
      <Figure name="In flight" value={count(inFlight)} id="in-flight">
        {count(status.waiting + status.backends.reduce((sum, { waiting }) => sum + waiting, 0))} waiting
      </Figure>
      <Figure name="Connections" value={count(openConnections(status))} id="connections">
        {count(refused)} refused in all
      </Figure>
      <Figure name="CPU" value={newest === undefined ? "–" : newest.cpu.toFixed(2)} unit=" cores" id="cpu">
        all processes
      </Figure>
      <Figure name="Memory" value={bytes(newest?.rssBytes)} id="memory">
        all processes
      </Figure>
    </section>
  );
}

/** At the front, and in hand-off mode at the instances. */
export function openConnections({ traffic, mode }: ClusterStatus): number {
  const front = traffic.listeners.reduce((sum, { open }) => sum + open, 0);
  if (mode === "proxy") return front;
  return front + Object.values(traffic.instances).reduce((sum, { connections }) => sum + connections, 0);
}

function Instances({ status }: { readonly status: ClusterStatus }) {
  const all = [...status.instances, ...status.backends.flatMap(({ instances }) => instances)];
  const ready = all.filter(({ state }) => state === "ready").length;
  const bad = all.filter(({ state }) => toneOf(state) === "bad").length;
  const states = new Map<string, number>();
  for (const { state } of all) if (state !== "ready") states.set(state, (states.get(state) ?? 0) + 1);
  const rest = [...states].map(([state, number]) => `${count(number)} ${state}`).join(", ");
  return (
    <Figure
      name="Instances"
      value={count(ready)}
      unit={` of ${count(all.length)}`}
      tone={bad > 0 ? "bad" : undefined}
      id="instances"
    >
      {all.length === 0 ? "there is no app here" : rest === "" ? "all are ready" : rest}
    </Figure>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly tone?: "bad" | undefined;
  readonly id: string;
  readonly children: ComponentChildren;
}

function Figure({ name, value, unit = "", tone, id, children }: FigureProps) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <h2>{name}</h2>
      <p class="value">
        <span data-figure={id}>{value}</span>
        <span class="unit">{unit}</span>
      </p>
      <p>{children}</p>
    </div>
  );
}
