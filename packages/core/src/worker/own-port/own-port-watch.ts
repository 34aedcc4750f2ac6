import { connect } from "node:net";
import type { Clock } from "../../model/clock.ts";
import type { InstancePort } from "./own-port.ts";
import { assureHttp1 } from "./spoken-there.ts";

/** Between two looks; in milliseconds. */
const lookMs = 200;

export interface OwnPortWatch {
  /**
   * Resolves when something accepts connections on the port, and did so at the look before: it is no passing test. Rejects if
   * that speaks no HTTP/1.1 (`LB_APP_PROTOCOL`).
   */
  readonly open: Promise<void>;
  stop(): void;
}

/** Looks for somebody who listens on the instance's own port: a process that the program has started. */
export function watchOwnPort(at: InstancePort, clock: Clock): OwnPortWatch {
  let stopped = false;
  let seen = 0;
  const open = new Promise<void>((resolve, reject) => {
    const look = () => {
      if (stopped) return;
      const socket = connect(at);
      const next = (found: boolean) => {
        // In good order, so that what it writes at once, as some protocols begin, fails for nobody.
        socket.end();
        socket.resume();
        seen = found ? seen + 1 : 0;
        if (seen === 2) assureHttp1(at, clock).then(resolve, reject);
        else clock.after(lookMs, look);
      };
      socket
        .unref()
        .once("connect", () => next(true))
        .once("error", () => next(false));
    };
    clock.after(lookMs, look);
  });
  return {
    open,
    stop() {
      stopped = true;
    },
  };
}
