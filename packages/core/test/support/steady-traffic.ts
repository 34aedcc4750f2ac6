import type { Ledger } from "./ledger.ts";

/** Clients that ask one good request after the other until told to stop, and what of it went wrong. */
export function steadyTraffic(ledger: Ledger, port: number, { clients = 8, path = "/work?ms=5" } = {}) {
  let running = true;
  const failed: unknown[] = [];
  let answered = 0;
  const all = Promise.all(
    Array.from({ length: clients }, async () => {
      while (running) {
        const result = await ledger.ask(port, "GET", path);
        if (result.kind === "answered" && result.status === 200) answered += 1;
        else failed.push(result);
      }
    }),
  );
  return {
    failed,
    get answered() {
      return answered;
    },
    async stop() {
      running = false;
      await all;
    },
  };
}
