import type { Key } from "node:readline";

const named: Readonly<Record<string, string>> = { return: "enter", enter: "enter", escape: "escape", tab: "tab" };
const passed = new Set(["up", "down", "pageup", "pagedown", "home", "end", "backspace"]);

/** What Node makes of a terminal's bytes, by a name of ours: `"up"`, `"ctrl-c"`, or the letter. Undefined: no key of ours. */
export function keyOf(text: string | undefined, { name, ctrl, meta, shift }: Key): string | undefined {
  if (ctrl === true) return name === undefined ? undefined : `ctrl-${name}`;
  if (name === "tab") return shift === true ? "shift-tab" : "tab";
  if (name !== undefined && name in named) return named[name];
  if (name !== undefined && passed.has(name)) return name;
  if (meta === true || text === undefined || text < " " || text === "\u007f") return undefined;
  return [...text].length === 1 ? text : undefined;
}
