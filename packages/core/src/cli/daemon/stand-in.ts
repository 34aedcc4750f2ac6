import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { readLifeline } from "../../upgrade/lifeline.ts";

/** They are meant for whoever has the cluster. */
const passedOn = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;

/** Of a primary that was killed. */
const killedCode = 1;

/**
 * What is left of a primary for which a terminal, a script or a container waits, when another one has its cluster: it passes on signals,
 * and ends when the last of those that came after it has ended, as that one did.
 */
export function standIn(successor: number, lifeline: Duplex): void {
  let pid = successor;
  process.exitCode = killedCode;
  const pass = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
  };
  for (const signal of passedOn) process.on(signal, pass);
  lifeline.on("error", () => lifeline.destroy());
  const lines = createInterface({ input: lifeline });
  lines.on("line", (line) => {
    const told = readLifeline(line);
    if (told?.kind === "pid") pid = told.value;
    else if (told !== undefined) process.exitCode = told.value;
  });
  lines.once("close", () => {
    lifeline.destroy();
    for (const signal of passedOn) process.off(signal, pass);
  });
}
