import { availableParallelism, totalmem } from "node:os";
import type { Machine } from "./readings.ts";

/** What this process may have of the machine, or of its container. */
export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or more than there is.
  const isLimited = constrained > 0 && constrained < totalmem();
  return { processors: availableParallelism(), memoryBytes: isLimited ? constrained : totalmem() };
}
