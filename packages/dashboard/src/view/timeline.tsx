import { useState } from "preact/hooks";
import { keyOf } from "../api/event-feed.ts";
import type { TimedEntry } from "../api/types.ts";
import { moment } from "../figures/format.ts";
import { Choice } from "./choice.tsx";

const levels = [
  { name: "All", of: () => true },
  { name: "Warnings", of: ({ level }: TimedEntry) => level !== "info" },
  { name: "Errors", of: ({ level }: TimedEntry) => level === "error" },
] as const;

const words = { info: undefined, warn: "Warning", error: "Error" } as const;

/** What happened, the newest first. */
export function Timeline({ entries }: { readonly entries: readonly TimedEntry[] }) {
  const [level, setLevel] = useState<(typeof levels)[number]>(levels[0]);
  const shown = entries.filter(level.of).toReversed();
  const now = Date.now();
  return (
    <section class="timeline" aria-labelledby="events">
      <div class="section-head">
        <h2 id="events">Events</h2>
        <Choice
          label="Which events"
          options={levels.map((value) => ({ name: value.name, value }))}
          chosen={level}
          choose={setLevel}
        />
      </div>
      <ol
        class="entries"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        tabIndex={0}
        aria-label="Events, the newest first"
      >
        {shown.length === 0 && <li class="empty">{level === levels[0] ? "Nothing has happened yet." : "None."}</li>}
        {shown.map((entry) => (
          <li key={keyOf(entry)} class={`entry ${entry.level}`}>
            <p class="when">
              <time dateTime={new Date(entry.at).toISOString()}>{moment(entry.at, now)}</time>
              {words[entry.level] !== undefined && <strong>{words[entry.level]}</strong>}
              <span>{entry.event}</span>
            </p>
            <p class="said">{entry.message}</p>
            {entry.stack !== undefined && (
              <details>
                <summary>Where it threw</summary>
                <pre>{entry.stack.join("\n")}</pre>
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
