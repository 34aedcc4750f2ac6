/** Rows that are drawn, of a list that scrolls, and the room of those that are not. */
export interface Window {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  readonly before: number;
  readonly after: number;
}

/** Drawn beyond what is seen, so that scrolling shows no gaps. */
const spare = 10;

export function windowOf(scrollTop: number, height: number, rowHeight: number, rows: number): Window {
  const from = Math.min(Math.max(0, Math.floor(scrollTop / rowHeight) - spare), Math.max(0, rows - 1));
  const to = Math.min(rows, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return { from, to: Math.max(from, to), before: from * rowHeight, after: Math.max(0, rows - to) * rowHeight };
}
