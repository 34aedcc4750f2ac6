import { terminalSafe } from "../terminal-safe.ts";

/** How something stands on the screen; what that looks like is the screen's to say. */
export type Style = "plain" | "bold" | "dim" | "good" | "warn" | "bad" | "accent" | "selected" | "heading";

export interface Piece {
  readonly text: string;
  readonly style?: Style;
  /** Again and again, up to the edge. */
  readonly fill?: true;
}

/** One line of the screen, from left to right. */
export type Line = readonly Piece[];

/** What two columns are taken for: East Asian scripts, their punctuation and full-width forms, and emoji. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
/** Marks upon the letter before them, and what joins or selects. */
const markless = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that it takes on a terminal, which may differ for what is new in Unicode. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfOne(character);
  return width;
}

function widthOfOne(character: string): number {
  return markless.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** As much of it as fits, with a sign that there is more. */
export function clipped(text: string, width: number, more = "…"): string {
  if (width <= 0) return "";
  if (widthOf(text) <= width) return text;
  let [kept, taken] = ["", 0];
  for (const character of text) {
    const next = widthOfOne(character);
    if (taken + next > width - widthOf(more)) break;
    kept += character;
    taken += next;
  }
  return widthOf(more) > width ? kept : kept + more;
}

/** To the left, or with numbers to the right, of a column that is so wide. */
export function cell(text: string, width: number, align: "left" | "right" = "left"): string {
  const shown = clipped(text, width);
  const space = " ".repeat(Math.max(0, width - widthOf(shown)));
  return align === "left" ? shown + space : space + shown;
}

/** Exactly so wide, and safe: whoever wrote what is in it, nothing of it acts on the terminal. */
export function fitted(line: Line, width: number): Line {
  const pieces: Piece[] = [];
  let left = width;
  for (const { text, style = "plain", fill } of line) {
    if (left <= 0) break;
    const shown = fill ? text.repeat(left) : clipped(terminalSafe(text, false).replaceAll("\t", " "), left);
    left -= widthOf(shown);
    if (shown !== "") pieces.push({ text: shown, style });
  }
  // What is selected is so to the edge.
  const rest = line.some(({ style }) => style === "selected") ? "selected" : "plain";
  return left > 0 ? [...pieces, { text: " ".repeat(left), style: rest }] : pieces;
}
