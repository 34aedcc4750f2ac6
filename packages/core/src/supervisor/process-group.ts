import type { Clock } from "../model/clock.ts";

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

/** After SIGKILL: until it is gone, or only waits for a parent that never asks. */
const goneMs = 500;
const lookMs = 10;

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
  const look = () => {
    left -= lookMs;
    if (!signalGroup(leader, 0)) {
      done();
      return;
    }
    if (left <= 0) {
      if (signal === "SIGKILL") {
        done();
        return;
      }
      [signal, left] = ["SIGKILL", goneMs];
      signalGroup(leader, signal);
    }
    clock.after(lookMs, look, { keepAlive: true });
  };
  clock.after(lookMs, look, { keepAlive: true });
}
