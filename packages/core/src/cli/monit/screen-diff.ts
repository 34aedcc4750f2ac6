import type { Line, Style } from "./styled-text.ts";

/** Which of a terminal's features are used. */
export interface Look {
  readonly colours: boolean;
}

const reset = "\u001b[0m";
const coloured: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  good: "32",
  warn: "33",
  bad: "31",
  accent: "36",
  selected: "7",
  heading: "1;36",
};
/** Without colours: what is not a colour. */
const uncoloured: Readonly<Record<Style, string>> = {
  ...coloured,
  good: "",
  warn: "",
  bad: "1",
  accent: "",
  heading: "1",
};

/** A line as it is written. */
export function rendered(line: Line, { colours }: Look): string {
  const codes = colours ? coloured : uncoloured;
  return line
    .map(({ text, style = "plain" }) => (codes[style] === "" ? text : `\u001b[${codes[style]}m${text}${reset}`))
    .join("");
}

/**
 * What makes the screen show `next` where it shows `before`: those lines alone that differ. Lines are as wide as the screen, so
 * that nothing has to be erased, which would flicker. Empty: there is nothing to do.
 */
export function difference(before: readonly string[], next: readonly string[]): string {
  return next.map((line, row) => (line === before[row] ? "" : `\u001b[${row + 1};1H${line}`)).join("");
}
