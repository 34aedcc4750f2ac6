import { useEffect, useState } from "preact/hooks";
import type { Actions, Permission } from "../api/actions.ts";
import { useStore } from "../api/store.ts";
import type { ClusterStatus } from "../api/types.ts";
import type { Clock } from "../clock.ts";
import type { Plan } from "../figures/plans.ts";
import { ActionDialog, type Outcome } from "./action-dialog.tsx";
import { type Notice, Notices } from "./notices.tsx";

/** Where things are asked for: what may be, and how to. */
export interface Desk {
  readonly permission: Permission | undefined;
  readonly plan: (plan: Plan) => void;
}

const shownForMs = 10_000;

/** The desk, and what it shows: a dialog, and what became of what was asked for. */
export function useDesk(actions: Actions, clock: Clock, status: ClusterStatus | undefined) {
  const permission = useStore(actions.permission);
  const [plan, setPlan] = useState<Plan>();
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  useEffect(() => {
    if (status !== undefined) void actions.refresh();
  }, [status?.pid]);
  const dismiss = (id: number) => setNotices((all) => all.filter((notice) => notice.id !== id));
  const tell = (outcome: Outcome) => {
    const id = clock.now();
    setNotices((all) => [...all.slice(-4), { ...outcome, id }]);
    // What went wrong stays until it was read.
    if (outcome.ok) clock.after(shownForMs, () => dismiss(id));
  };
  const desk: Desk = { permission, plan: setPlan };
  const shown = (
    <>
      {plan !== undefined && status !== undefined && (
        <ActionDialog
          plan={plan}
          status={status}
          actions={actions}
          clock={clock}
          close={() => setPlan(undefined)}
          tell={tell}
        />
      )}
      <Notices notices={notices} dismiss={dismiss} />
    </>
  );
  return { desk, shown };
}
