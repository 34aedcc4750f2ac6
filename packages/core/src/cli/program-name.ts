/** The program's own name, as far as it can be told: `uvicorn` of `cd api && A=1 /srv/venv/bin/uvicorn app:app`. */
export function programName(command: string | readonly string[]): string {
  const words = typeof command === "string" ? wordsOf(command) : command;
  const first = words.find((word) => word !== "exec" && !/^\w+=/.test(word)) ?? "program";
  return first.replace(/^.*[/\\]/, "").replace(/^["']|["']$/g, "");
}

/** Of several commands the last is the one that stays. */
function wordsOf(command: string): readonly string[] {
  const last = command.split(/&&|;|\n/).findLast((part) => part.trim() !== "") ?? "";
  return last.trim().split(/\s+/);
}
