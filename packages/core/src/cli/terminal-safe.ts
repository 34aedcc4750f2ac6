import { printable } from "../log/printable.ts";

// An instance's line stands behind a label of ours, on a line of ours: what moves the cursor, clears, sets a title or the
// clipboard, rings or asks the terminal for something is none of its business there. Colours are.

/** Select Graphic Rendition: colours and the like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as below
const colour = /^\u001b\[[0-9;:]*m$/;
/** CSI, OSC and the other strings up to their end (or the line's), two-character escapes, and C1's own CSI and OSC. */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is for
  /\u001b\[[0-?]*[ -/]*[@-~]|\u009b[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|\u001b[ -/]*[0-~]?/g;

/** A line that somebody else wrote, as it may stand on our terminal; its colours go along if `colours`. */
export function terminalSafe(line: string, colours: boolean): string {
  // What a terminal would show of a line that is written over.
  const shown = line.includes("\r") ? (line.split("\r").findLast((part) => part !== "") ?? "") : line;
  if (!/[^\t\u0020-\u007e\u00a0-\u1fff]/.test(shown)) return shown;
  let safe = "";
  let coloured = false;
  let end = 0;
  for (const match of shown.matchAll(sequence)) {
    safe += withTabs(shown.slice(end, match.index));
    end = match.index + match[0].length;
    if (!colours || !colour.test(match[0])) continue;
    safe += match[0];
    coloured = true;
  }
  safe += withTabs(shown.slice(end));
  return coloured ? `${safe}\u001b[0m` : safe;
}

function withTabs(text: string): string {
  return text.split("\t").map(printable).join("\t");
}
