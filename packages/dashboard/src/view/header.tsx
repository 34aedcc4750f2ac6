import { useState } from "preact/hooks";
import type { Connection } from "../api/status-feed.ts";
import type { ClusterStatus } from "../api/types.ts";
import { duration, moment } from "../figures/format.ts";
import type { Desk } from "./desk.tsx";
import { Mark } from "./mark.tsx";
import { storedTheme } from "./theme.ts";

export interface HeaderProps {
  readonly connection: Connection;
  readonly status: ClusterStatus | undefined;
  readonly desk: Desk;
}

/** Which cluster it is, whether it is well, and where. */
export function Header({ connection, status, desk }: HeaderProps) {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <header class="page-header">
      <div class="identity">
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <h1>{status?.name ?? "lb"}</h1>
        <Phase connection={connection} status={status} />
      </div>
      {status !== undefined && (
        <dl class="facts">
          <div>
            <dt>at</dt>
            <dd>{status.listeners.map(({ url }) => url).join(", ") || "nowhere yet"}</dd>
          </div>
          <div>
            <dt>mode</dt>
            <dd>{status.mode === "handoff" ? "hand-off" : status.mode}</dd>
          </div>
          <div>
            <dt>up</dt>
            <dd>{duration(status.uptimeMs)}</dd>
          </div>
        </dl>
      )}
      <div class="header-actions">
        {status !== undefined && <ClusterActions desk={desk} />}
        <button
          type="button"
          class="quiet"
          onClick={() => {
            theme.next.apply();
            setTheme(theme.next);
          }}
        >
          Theme: {theme.name}
        </button>
      </div>
    </header>
  );
}

const plans = [
  { kind: "reload", name: "Reload" },
  { kind: "canary", name: "Canary" },
  { kind: "scale", name: "Scale" },
] as const;

function ClusterActions({ desk: { permission, plan } }: Pick<HeaderProps, "desk">) {
  if (permission === undefined) return null;
  const refused = permission.kind === "refused";
  return (
    <>
      {refused && (
        <span class="reason" id="why-not">
          {permission.why}
        </span>
      )}
      {plans.map(({ kind, name }) => (
        <button
          type="button"
          key={kind}
          disabled={refused}
          aria-describedby={refused ? "why-not" : undefined}
          onClick={() => plan({ kind })}
        >
          {name} …
        </button>
      ))}
    </>
  );
}

function Phase({ connection, status }: Omit<HeaderProps, "desk">) {
  // The one place that is read out by itself: it changes seldom, and then it matters.
  return (
    <output class="phase">
      {connection.kind === "lost" ? (
        <Mark tone="bad">
          No answer since {moment(connection.since, Date.now())}: {connection.why}
        </Mark>
      ) : status === undefined ? (
        <Mark tone="busy">Connecting</Mark>
      ) : status.phase === "running" ? (
        <Mark tone="good">Running</Mark>
      ) : (
        <Mark tone="busy">{status.phase === "starting" ? "Starting" : "Closing"}</Mark>
      )}
    </output>
  );
}
