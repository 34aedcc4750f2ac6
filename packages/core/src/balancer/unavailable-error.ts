import { LbError } from "../model/errors.ts";
import type { UnavailableReason } from "./status.ts";
import type { WaitRefusal } from "./wait-queue.ts";

/** There is no endpoint for a request: answer it with 503. Code `LB_UNAVAILABLE`. */
export class UnavailableError extends LbError {
  readonly reason: UnavailableReason | WaitRefusal;

  constructor(reason: UnavailableReason | WaitRefusal) {
    super("LB_UNAVAILABLE", `There is no endpoint for the request: ${explain(reason)}`);
    this.reason = reason;
  }
}

function explain(reason: UnavailableReason | WaitRefusal): string {
  switch (reason) {
    case "empty":
      return "the list of endpoints is empty.";
    case "draining":
      return "all endpoints are draining.";
    case "all-excluded":
      return "all that could take it were tried already.";
    case "full":
      return "all that could take it have as many requests as they may.";
    case "set-aside":
      return "the only one that could take it is kept for another request for a moment.";
    case "closed":
      return "the balancer is closed.";
    case "queue-full":
      return "too many requests wait for one; raise queue.maxWaiting or add capacity.";
    case "wait-timeout":
      return "none became available within queue.maxWaitMs.";
  }
}
