import type { ReloadStatus } from "../api/types.ts";
import { count, duration, milliseconds, percent } from "../figures/format.ts";
import type { ReloadStory } from "../figures/reload-story.ts";
import { Mark } from "./mark.tsx";

const steps: Readonly<Record<ReloadStatus["replacing"][number]["step"], string>> = {
  starting: "the new process starts",
  canary: "the new one is tried out with a share of the requests",
  routed: "the new one has the traffic and is watched",
  watched: "the new one has passed",
};

/** A reload as it happens, old against new. */
export function ReloadPanel({ story, close }: { readonly story: ReloadStory; readonly close: () => void }) {
  const { reload, outcome, backend } = story;
  const { done, total, replacing, before, after } = reload;
  const whose = backend === undefined ? "" : ` of ${backend}`;
  const replaced = outcome.kind === "finished" ? total : done;
  return (
    <section class="reload" aria-labelledby="reload">
      <div class="section-head">
        <h2 id="reload">Reload{whose}</h2>
        <output>
          {outcome.kind === "running" && (
            <Mark tone="busy">
              {count(done)} of {count(total)} replaced
            </Mark>
          )}
          {outcome.kind === "finished" && <Mark tone="good">done, {count(total)} replaced</Mark>}
          {outcome.kind === "rolled-back" && <Mark tone="bad">rolled back</Mark>}
        </output>
        {outcome.kind !== "running" && (
          <button type="button" class="quiet" onClick={close}>
            Close
          </button>
        )}
      </div>
      {outcome.kind === "rolled-back" && <p class="said">{outcome.why}</p>}
      <progress value={replaced} max={Math.max(total, 1)} aria-label="Instances replaced" />
      <div class="reload-parts">
        <table class="versions">
          <caption class="hidden">Old and new processes since the reload began</caption>
          <thead>
            <tr>
              <td />
              <th scope="col" class="numeric">
                Requests
              </th>
              <th scope="col" class="numeric">
                Errors
              </th>
              <th scope="col" class="numeric">
                4xx
              </th>
              <th scope="col" class="numeric">
                First byte, mean
              </th>
            </tr>
          </thead>
          <tbody>
            <Version name="Old" figures={before} />
            <Version name="New" figures={after} />
          </tbody>
        </table>
        {outcome.kind === "running" && replacing.length > 0 && (
          <ul class="steps">
            {replacing.map(({ instance, step, forMs }) => (
              <li key={instance}>
                <strong>Instance {instance}</strong>: {steps[step]}, for {duration(forMs)}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Version({ name, figures }: { readonly name: string; readonly figures: ReloadStatus["before"] }) {
  const { requests, failures, clientErrors, meanMs } = figures;
  const share = (part: number) => percent(requests === 0 ? undefined : part / requests);
  return (
    <tr data-version={name.toLowerCase()}>
      <th scope="row">{name}</th>
      <td class="numeric">{count(requests)}</td>
      <td class="numeric">{share(failures)}</td>
      <td class="numeric">{share(clientErrors)}</td>
      <td class="numeric">{milliseconds(meanMs)}</td>
    </tr>
  );
}
