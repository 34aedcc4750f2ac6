export interface Sorting<Column extends string = string> {
  readonly column: Column;
  readonly descending: boolean;
}

/** What is not known comes last, whichever way; those that are alike stay in their order. */
export function sorted<Row>(
  rows: readonly Row[],
  sortedBy: (row: Row) => number | string | null | undefined,
  descending: boolean,
): readonly Row[] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [sortedBy(one) ?? undefined, sortedBy(other) ?? undefined];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    if (typeof a === "string" || typeof b === "string") return sign * String(a).localeCompare(String(b), "en");
    return sign * (a - b);
  });
}
