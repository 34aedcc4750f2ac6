import type { Balancer, Lease } from "../../balancer/balancer.ts";
import { cancelled } from "../../model/outcome.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { HandoffRefusal, HandoffTarget } from "./handoff-context.ts";

type Decided = HandoffTarget | HandoffRefusal;

export interface HandoffWaiting {
  readonly balancer: Balancer;
  readonly request: RequestView;
  /** Where the lease leads; undefined: nobody is there any more, and the lease has been released. */
  readonly targetOf: (lease: Lease) => HandoffTarget | undefined;
  readonly decided: (decision: Decided) => void;
}

function refusal(reason: HandoffRefusal["reason"]): HandoffRefusal {
  return { kind: "refusal", status: 503, reason, retryAfterSeconds: 1 };
}

/**
 * Waits for a worker. `decided` is called once, in a later turn, unless the call that this returns is made before: then it
 * is not called, and what had been leased in the meantime is free again.
 */
export function waitForWorker({ balancer, request, targetOf, decided }: HandoffWaiting): () => void {
  let found: { readonly decision: Decided; readonly turn: NodeJS.Immediate } | undefined;
  const settle = (decision: Decided) => {
    const turn = setImmediate(() => {
      found = undefined;
      decided(decision);
    });
    found = { decision, turn };
  };
  const leave = balancer.acquireOrWait(request, {
    onLease: (lease) => settle(targetOf(lease) ?? refusal("connect-error")),
    onRefused: (reason) => settle(refusal(reason)),
  });
  return () => {
    leave();
    if (found === undefined) return;
    clearImmediate(found.turn);
    if (found.decision.kind === "target") found.decision.lease.release(cancelled);
    found = undefined;
  };
}
