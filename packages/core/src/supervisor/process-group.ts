import type { Clock } from "../model/clock.ts";
import { groupMembers } from "./group-members.ts";

/** A worker leads a group of its own, so that what it starts can be ended with it, and a terminal's Ctrl-C is not for it. */
export const hasGroups = process.platform !== "win32";

/** To all processes of the group. False: there is none left, or none that may be signalled. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  if (!hasGroups) return false;
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}

/** After SIGKILL, until it is gone. In milliseconds. */
const goneMs = 500;
/** Between two looks at what is left; each next pause is twice as long. */
const pauses = { firstMs: 10, mostMs: 160 };

export interface GroupEnd {
  readonly leader: number;
  /** Those that are left have so long to end in good order, which they are `told` already, or by SIGTERM. Undefined: they are killed. */
  readonly grace: { readonly ms: number; readonly told: boolean } | undefined;
  readonly clock: Clock;
}

/** Ends what is left of a group whose leader has ended; nearly always that is nothing, and `done` is called at once. */
export function endGroup({ leader, grace, clock }: GroupEnd, done: () => void): void {
  let [signal, left]: [NodeJS.Signals, number] = grace === undefined ? ["SIGKILL", goneMs] : ["SIGTERM", grace.ms];
  if (!signalGroup(leader, grace?.told === true ? 0 : signal)) {
    done();
    return;
  }
  let pauseMs = pauses.firstMs;
  const look = async () => {
    left -= pauseMs;
    if (!(await isLeft(leader))) {
      done();
      return;
    }
    if (left <= 0) {
      if (signal === "SIGKILL") {
        done();
        return;
      }
      [signal, left, pauseMs] = ["SIGKILL", goneMs, pauses.firstMs];
      signalGroup(leader, signal);
    }
    pauseMs = Math.min(pauses.mostMs, 2 * pauseMs);
    clock.after(pauseMs, look, { keepAlive: true });
  };
  clock.after(pauseMs, look, { keepAlive: true });
}

/** Any of the group runs. Those that have ended are there for as long as nobody asks for them, and take signals. */
async function isLeft(leader: number): Promise<boolean> {
  if (!signalGroup(leader, 0)) return false;
  if (process.platform !== "linux") return true;
  return (await groupMembers(new Set([leader]))).get(leader)!.length > 0;
}
