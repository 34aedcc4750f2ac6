import { terminalSafe } from "./terminal-safe.ts";

/** A command's answer. What it says came from another process, so nothing in it but colours may act on the terminal. */
export function say(text: string): void {
  for (const line of text.split("\n")) console.log(terminalSafe(line, true));
}
