import { useState } from "preact/hooks";
import type { Sample } from "../api/status-feed.ts";
import type { ClusterStatus } from "../api/types.ts";
import { bytes, count, duration, milliseconds } from "../figures/format.ts";
import { type InstanceRow, instanceRows } from "../figures/instance-rows.ts";
import { toneOf } from "../figures/state-tone.ts";
import { Choice } from "./choice.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import type { Desk } from "./desk.tsx";
import { Mark } from "./mark.tsx";
import { errorColumn, inFlightColumn, latencyColumn, numberColumn, rateColumn } from "./traffic-columns.tsx";

export interface InstanceTableProps {
  readonly samples: readonly Sample[];
  readonly mode: ClusterStatus["mode"];
  readonly desk: Desk;
}

/** What serves: the app's instances, and those of programs beside it. */
export function InstanceTable({ samples, mode, desk }: InstanceTableProps) {
  const [troubledOnly, setTroubledOnly] = useState(false);
  const rows = instanceRows(samples);
  const troubled = rows.filter(({ state }) => state !== "ready");
  return (
    <section aria-labelledby="instances">
      <div class="section-head">
        <h2 id="instances">Instances</h2>
        <Choice
          label="Which instances"
          options={[
            { name: `All ${count(rows.length)}`, value: false },
            { name: `Not ready ${count(troubled.length)}`, value: true },
          ]}
          chosen={troubledOnly}
          choose={setTroubledOnly}
        />
      </div>
      <DataTable
        label="Instances"
        columns={[...columnsFor(rows, mode), ...actionColumns(desk)]}
        rows={troubledOnly ? troubled : rows}
        keyOf={({ key }) => key}
        empty={troubledOnly ? "All instances are ready." : "There is no app here: requests go to backends and files."}
      />
    </section>
  );
}

const always: readonly Column<InstanceRow>[] = [
  {
    id: "id",
    title: "Instance",
    by: ({ id, backend }) => (backend === undefined ? id : `${backend} ${id}`),
    cell: ({ id, backend }) => (
      <span class="name">
        {backend !== undefined && <span class="of">{backend}</span>} {id}
      </span>
    ),
  },
  {
    id: "state",
    title: "State",
    by: ({ state }) => state,
    cell: ({ state, note }) => (
      <span title={note}>
        <Mark tone={toneOf(state)}>{state}</Mark>
        {note !== undefined && <span class="note"> {note}</span>}
      </span>
    ),
  },
  rateColumn,
  errorColumn,
  latencyColumn("p95", ({ p95 }) => p95),
  inFlightColumn,
];

const optional: readonly (Column<InstanceRow> & {
  readonly wanted: (rows: readonly InstanceRow[], mode: ClusterStatus["mode"]) => boolean;
})[] = [
  {
    id: "connections",
    title: "Conn.",
    hint: "Connections of clients that are at the instance",
    numeric: true,
    by: ({ connections }) => connections,
    cell: ({ connections }) => (connections === undefined ? "–" : count(connections)),
    wanted: (_, mode) => mode === "handoff",
  },
  {
    id: "tunnels",
    title: "WS",
    hint: "WebSockets and other tunnels that are open",
    numeric: true,
    by: ({ tunnels }) => tunnels,
    cell: ({ tunnels }) => (tunnels === undefined ? "–" : count(tunnels)),
    wanted: () => true,
  },
  {
    id: "sessions",
    title: "Sessions",
    hint: "Clients of Socket.IO that live in it",
    numeric: true,
    by: ({ sessions }) => sessions,
    cell: ({ sessions }) => (sessions === undefined ? "–" : count(sessions)),
    wanted: (rows) => rows.some(({ sessions }) => sessions !== undefined),
  },
];

const vitals: readonly Column<InstanceRow>[] = [
  {
    id: "cpu",
    title: "CPU",
    hint: "Of one core",
    numeric: true,
    by: ({ cpu }) => cpu,
    cell: ({ cpu }) => (cpu === undefined ? "–" : `${(cpu * 100).toFixed(0)}\u00a0%`),
  },
  {
    id: "memory",
    title: "Memory",
    numeric: true,
    by: ({ rssBytes }) => rssBytes,
    cell: ({ rssBytes }) => bytes(rssBytes),
  },
  {
    id: "loop",
    title: "Loop delay",
    hint: "By how much its event loop was late at worst, over the last second",
    numeric: true,
    by: ({ loopLagMs }) => loopLagMs,
    cell: ({ loopLagMs }) => milliseconds(loopLagMs),
  },
  numberColumn("restarts", "Restarts", ({ restarts }) => restarts),
  {
    id: "uptime",
    title: "Up",
    numeric: true,
    by: ({ uptimeMs }) => uptimeMs,
    cell: ({ uptimeMs, state }) => (state === "ready" || uptimeMs > 0 ? duration(uptimeMs) : "–"),
  },
  {
    id: "pid",
    title: "PID",
    numeric: true,
    cell: ({ pid }) => pid ?? "–",
  },
];

const held = (state: InstanceRow["state"]) => state === "drained" || state === "draining";

/** None where nothing may be done: the head of the page says why. */
function actionColumns({ permission, plan }: Desk): readonly Column<InstanceRow>[] {
  if (permission?.kind !== "allowed") return [];
  return [
    {
      id: "actions",
      title: "Actions",
      pinned: true,
      cell: ({ id, backend, state }) => {
        const name = backend === undefined ? `instance ${id}` : `instance ${id} of ${backend}`;
        const other = held(state)
          ? ({ kind: "resume", verb: "Resume" } as const)
          : ({ kind: "drain", verb: "Drain" } as const);
        return (
          <span class="row-actions">
            <button type="button" aria-label={`Restart ${name}`} onClick={() => plan({ kind: "restart", id, backend })}>
              Restart
            </button>
            <button
              type="button"
              aria-label={`${other.verb} ${name}`}
              onClick={() => plan({ kind: other.kind, id, backend })}
            >
              {other.verb}
            </button>
            <button type="button" aria-label={`Profile ${name}`} onClick={() => plan({ kind: "profile", id, backend })}>
              Profile
            </button>
          </span>
        );
      },
    },
  ];
}

function columnsFor(rows: readonly InstanceRow[], mode: ClusterStatus["mode"]): readonly Column<InstanceRow>[] {
  return [...always, ...optional.filter(({ wanted }) => wanted(rows, mode)), ...vitals];
}
