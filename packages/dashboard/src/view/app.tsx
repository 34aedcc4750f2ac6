import { useEffect, useRef, useState } from "preact/hooks";
import type { Actions } from "../api/actions.ts";
import type { HistoryFeed } from "../api/history-feed.ts";
import type { StatusSight } from "../api/status-feed.ts";
import { type Store, useStore } from "../api/store.ts";
import type { TimedEntry } from "../api/types.ts";
import type { Clock } from "../clock.ts";
import { type ReloadStory, reloadStory } from "../figures/reload-story.ts";
import { BackendTable } from "./backend-table.tsx";
import { Charts } from "./charts.tsx";
import { useDesk } from "./desk.tsx";
import { Edge } from "./edge.tsx";
import { Header } from "./header.tsx";
import { InstanceTable } from "./instance-table.tsx";
import { KeyFigures } from "./key-figures.tsx";
import { LogTail } from "./log-tail.tsx";
import { ReloadPanel } from "./reload-panel.tsx";
import { RouteTable } from "./route-table.tsx";
import { Timeline } from "./timeline.tsx";

export interface AppProps {
  readonly clock: Clock;
  readonly status: Store<StatusSight>;
  readonly history: HistoryFeed;
  readonly events: Store<readonly TimedEntry[]>;
  readonly actions: Actions;
}

/** The page. */
export function App({ clock, status, history, events, actions }: AppProps) {
  const { connection, samples } = useStore(status);
  const entries = useStore(events);
  const { range, spans } = useStore(history);
  const now = samples.at(-1)?.status;
  const { desk, shown } = useDesk(actions, clock, now);
  const story = useStory(samples, entries);
  const [shut, setShut] = useState<number>();
  useEffect(() => {
    if (now !== undefined) document.title = `${now.name} · lb`;
  }, [now?.name]);
  return (
    <>
      <Header connection={connection} status={now} desk={desk} />
      <main class={connection.kind === "lost" ? "stale" : ""}>
        {now === undefined ? (
          <p class="first">{connection.kind === "lost" ? connection.why : "Asking the cluster …"}</p>
        ) : (
          <>
            <KeyFigures samples={samples} newest={spans.at(-1)} />
            {story !== undefined && story.since !== shut && (
              <ReloadPanel story={story} close={() => setShut(story.since)} />
            )}
            <Charts range={range} spans={spans} entries={entries} show={(next) => history.show(next)} />
            <div class="columns">
              <div class="main-column">
                <InstanceTable samples={samples} mode={now.mode} desk={desk} />
                <RouteTable samples={samples} />
                <BackendTable samples={samples} />
                <Edge status={now} />
              </div>
              <Timeline entries={entries} />
            </div>
            <LogTail clock={clock} status={now} />
          </>
        )}
      </main>
      {shown}
    </>
  );
}

/** What is told of a reload depends on what was told before. */
function useStory(samples: StatusSight["samples"], entries: readonly TimedEntry[]): ReloadStory | undefined {
  const told = useRef<ReloadStory>(undefined);
  const status = samples.at(-1)?.status;
  told.current = status && reloadStory(told.current, status, entries, Date.now());
  return told.current;
}
