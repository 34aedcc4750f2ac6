import { cell, clipped, type Line, type Piece, type Style, widthOf } from "./styled-text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Those with the lowest numbers stay longest where there is too little room. */
  readonly rank: number;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
  /** It takes what is left over, and is cut before others go. */
  readonly flexible?: true;
}

const gap = 2;
const leastFlexible = 12;

interface Placed<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** The columns that there is room for, in their order. */
function placed<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly Placed<Row>[] {
  const widths = new Map(
    columns.map((column) => [column, Math.max(widthOf(column.title), ...rows.map((row) => widthOf(column.text(row))))]),
  );
  const least = (column: Column<Row>) =>
    column.flexible === true ? Math.min(leastFlexible, widths.get(column)!) : widths.get(column)!;
  const chosen = new Set<Column<Row>>();
  let left = width + gap;
  for (const column of [...columns].sort((one, other) => one.rank - other.rank)) {
    if (least(column) + gap > left && chosen.size > 0) break;
    chosen.add(column);
    left -= least(column) + gap;
  }
  return columns
    .filter((column) => chosen.has(column))
    .map((column) => {
      const more = Math.min(Math.max(0, left), widths.get(column)! - least(column));
      left -= more;
      return { column, width: least(column) + more };
    });
}

/** `look`: the style of a whole row, if it has one. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, look = () => undefined }: { readonly width: number; readonly look?: (row: Row) => Style | undefined },
): { readonly heading: Line; readonly lines: readonly Line[] } {
  const all = placed(columns, rows, width);
  const spaced = (pieces: readonly Piece[], style?: Style): Line =>
    pieces.flatMap((piece, at) => (at === 0 ? [piece] : [{ text: " ".repeat(gap), ...(style && { style }) }, piece]));
  const heading = spaced(
    all.map(({ column, width: wide }) => ({ text: cell(column.title, wide, column.align), style: "dim" })),
  );
  const lines = rows.map((row) => {
    const whole = look(row);
    return spaced(
      all.map(({ column, width: wide }) => ({
        text: cell(clipped(column.text(row), wide), wide, column.align),
        style: whole ?? column.style?.(row) ?? "plain",
      })),
      whole,
    );
  });
  return { heading, lines };
}
