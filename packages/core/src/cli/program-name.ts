/** The program's own name, as far as it can be told: `uvicorn` of `A=1 /srv/venv/bin/uvicorn app:app`. */
export function programName(command: string | readonly string[]): string {
  const words = typeof command === "string" ? command.trim().split(/\s+/) : command;
  const first = words.find((word) => word !== "exec" && !/^\w+=/.test(word)) ?? "program";
  return first.replace(/^.*[/\\]/, "").replace(/^["']|["']$/g, "");
}
