import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Sorting, sorted } from "../figures/sort.ts";
import { windowOf } from "../figures/window.ts";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** What the title does not say. */
  readonly hint?: string;
  readonly numeric?: boolean;
  /** Seen wherever the table is scrolled to. */
  readonly pinned?: boolean;
  /** What it is sorted by; absent: it cannot be. */
  readonly by?: (row: Row) => number | string | null | undefined;
  readonly cell: (row: Row) => ComponentChildren;
}

export interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly empty: string;
}

/** So many are drawn without a window. */
const fewRows = 60;
const rowHeight = 37;

/** A table that can be sorted. Of many rows, those are drawn that are seen. */
export function DataTable<Row>({ label, columns, rows, keyOf, empty }: DataTableProps<Row>) {
  const [sorting, setSorting] = useState<Sorting>();
  const by = columns.find(({ id }) => id === sorting?.column)?.by;
  const inOrder = by === undefined ? rows : sorted(rows, by, sorting!.descending);
  const many = rows.length > fewRows;
  const box = useRef<HTMLElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const seen = () => {
    const { scrollTop: top, clientHeight: height } = box.current!;
    setView((old) => (old.top === top && old.height === height ? old : { top, height }));
  };
  useLayoutEffect(seen, [many]);
  const shown = many
    ? windowOf(view.top, view.height, rowHeight, rows.length)
    : { from: 0, to: rows.length, before: 0, after: 0 };
  return (
    <section
      class={`table-box ${many ? "many" : ""}`}
      ref={box}
      onScroll={seen}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
      tabIndex={0}
      aria-label={`Table: ${label}`}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.id} column={column} sorting={sorting} sort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.before > 0 && <Room height={shown.before} />}
          {inOrder.slice(shown.from, shown.to).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={shown.from + index + 2}>
              {columns.map(({ id, cell, ...column }) => (
                <td key={id} class={classOf(column)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {shown.after > 0 && <Room height={shown.after} />}
          {rows.length === 0 && (
            <tr>
              <td colSpan={columns.length} class="empty">
                {empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}

function Room({ height }: { readonly height: number }) {
  return (
    <tr class="room">
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}

function classOf({ numeric, pinned }: Pick<Column<never>, "numeric" | "pinned">): string | undefined {
  return pinned ? "pinned" : numeric ? "numeric" : undefined;
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly sort: (sorting: Sorting | undefined) => void;
}

/** Numbers are wanted from the largest on first; a third press is the order of before. */
function Head<Row>({ column, sorting, sort }: HeadProps<Row>): VNode {
  const { id, title, hint, numeric, by } = column;
  const mine = sorting?.column === id ? sorting : undefined;
  const first = numeric === true;
  const next = () => {
    if (mine === undefined) sort({ column: id, descending: first });
    else if (mine.descending === first) sort({ column: id, descending: !first });
    else sort(undefined);
  };
  const direction = mine === undefined ? "none" : mine.descending ? "descending" : "ascending";
  return (
    <th scope="col" class={classOf(column)} aria-sort={by && direction} title={hint}>
      {by === undefined ? (
        title
      ) : (
        <button type="button" onClick={next}>
          {title}
          <span class="arrow" aria-hidden="true">
            {mine === undefined ? "" : mine.descending ? "↓" : "↑"}
          </span>
        </button>
      )}
    </th>
  );
}
