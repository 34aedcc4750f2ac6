import type { Clock } from "@lb/core";

/** The only file of this package that touches the process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call, options) {
    const handle = setTimeout(call, ms);
    if (options?.keepAlive !== true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
