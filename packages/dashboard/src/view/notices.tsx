import type { Outcome } from "./action-dialog.tsx";
import { Mark } from "./mark.tsx";

export interface Notice extends Outcome {
  readonly id: number;
}

/** How what was asked for went; read out, since whoever asked may look elsewhere by then. */
export function Notices({
  notices,
  dismiss,
}: {
  readonly notices: readonly Notice[];
  readonly dismiss: (id: number) => void;
}) {
  return (
    <aside class="notices" aria-label="What became of actions">
      <div role="log">
        {notices.map(({ id, ok, text }) => (
          <p key={id} class="notice">
            <Mark tone={ok ? "good" : "bad"}>{text}</Mark>
            <button type="button" class="quiet" aria-label={`Dismiss: ${text}`} onClick={() => dismiss(id)}>
              ×
            </button>
          </p>
        ))}
      </div>
    </aside>
  );
}
