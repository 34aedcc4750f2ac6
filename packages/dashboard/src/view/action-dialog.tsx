import { useEffect, useRef, useState } from "preact/hooks";
import type { Actions } from "../api/actions.ts";
import type { ClusterStatus } from "../api/types.ts";
import type { Clock } from "../clock.ts";
import { actionOf, type Plan, profileOf, type Question, wordsFor } from "../figures/plans.ts";
import { keep } from "./keep.ts";

/** How something went that was asked for. */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

export interface ActionDialogProps {
  readonly plan: Plan;
  readonly status: ClusterStatus;
  readonly actions: Actions;
  readonly clock: Clock;
  readonly close: () => void;
  /** It is over, and the dialog may have been closed long before. */
  readonly tell: (outcome: Outcome) => void;
}

type Asking =
  | { readonly kind: "open" }
  | { readonly kind: "asked" }
  | { readonly kind: "refused"; readonly why: string };

/** What is refused is refused at once, and said here; what takes longer is under way, and is seen on the page. */
const soonMs = 800;

/** Asks whether it is meant, and has it done. */
export function ActionDialog({ plan, status, actions, clock, close, tell }: ActionDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [asking, setAsking] = useState<Asking>({ kind: "open" });
  // As it was when it was opened: what is asked must not change under who answers.
  const [{ title, what, verb, questions }] = useState(() => wordsFor(plan, status));
  useEffect(() => dialog.current!.showModal(), []);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const answers = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Record<string, string>;
    const element = dialog.current!;
    // Its end is told by itself, and gives the focus back.
    const shut = () => element.close();
    setAsking({ kind: "asked" });
    const cancel = clock.after(soonMs, shut);
    const done =
      plan.kind === "profile"
        ? actions.profile(profileOf(plan, answers)).then(keep)
        : actions.run(actionOf(plan, answers));
    done.then(
      () => {
        cancel();
        tell({ ok: true, text: `${title}: done` });
        shut();
      },
      (error: Error) => {
        cancel();
        if (element.open) setAsking({ kind: "refused", why: error.message });
        else tell({ ok: false, text: `${title}: ${error.message}` });
      },
    );
  };

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="dialog-title" aria-describedby="dialog-what">
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        <p id="dialog-what">{what}</p>
        {questions.map((question) => (
          <Field key={question.name} {...question} />
        ))}
        {asking.kind === "refused" && (
          <p class="refusal" role="alert">
            {asking.why}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current!.close()}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={asking.kind === "asked"}>
            {asking.kind === "asked" ? "Asking …" : verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Field({ name, label, kind, first, min, max, choices = [] }: Question) {
  return (
    <div class="field">
      <label for={`field-${name}`}>{label}</label>
      {kind === "number" ? (
        <input
          id={`field-${name}`}
          type="number"
          name={name}
          defaultValue={first}
          min={min}
          max={max}
          step="any"
          required
        />
      ) : (
        <select id={`field-${name}`} name={name}>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
