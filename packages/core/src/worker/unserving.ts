import type { Serving } from "./serving.ts";

/** A program that runs and gets no requests: a queue's consumer, say. */
export class Unserving {}

/** Nothing has to be drained: what it does when it is to end is its own affair. */
export const serveNobody: Serving = {
  server: undefined,
  close: undefined,
  intake: { end() {} },
  drain: { announceEnd() {}, run: async () => {} },
  ownPorts: { openWhenFree() {} },
};
