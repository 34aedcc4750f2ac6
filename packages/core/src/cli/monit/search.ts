import type { TimedEntry } from "../../log/entry-memory.ts";
import type { OutputLine } from "../../model/output-line.ts";
import type { Known, KnownInstance } from "./known.ts";

/** Those events that have what is searched for, whatever its case. */
export function matchingEntries({ entries }: Known, { search }: { readonly search: string }): readonly TimedEntry[] {
  const wanted = search.toLowerCase();
  return wanted === "" ? entries : entries.filter(({ message }) => message.toLowerCase().includes(wanted));
}

/** The same of lines, or of those of the selected instance. */
export function matchingLines(
  { lines }: Known,
  { search, onlySelected }: { readonly search: string; readonly onlySelected: boolean },
  selected: KnownInstance | undefined,
): readonly OutputLine[] {
  const wanted = search.toLowerCase();
  const one = onlySelected ? selected : undefined;
  if (wanted === "" && one === undefined) return lines;
  return lines.filter(
    ({ backend, instance, text }) =>
      (one === undefined || (one.backend === backend && one.status.id === instance)) &&
      text.toLowerCase().includes(wanted),
  );
}
