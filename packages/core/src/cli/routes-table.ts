import type { RouteReport } from "../control/route-report.ts";
import { table } from "./status-table.ts";

/** The routes of a cluster for people, and which of them a request takes. */
export function routesTable({ routes, taken, takenIfThere = [] }: RouteReport): string {
  const asked = taken !== undefined;
  const takes = takenIfThere.length === 0 ? "<- takes it" : "<- takes it otherwise";
  const rows = routes.map(({ name, to, with: done, mismatch }, number) => [
    String(number + 1),
    name,
    to,
    done.join(", "),
    ...(asked ? [verdict(number, takes, { taken, takenIfThere, mismatch })] : []),
  ]);
  const last = ["", "all others", "app", "", ...(asked ? [taken === null ? takes : ""] : [])];
  const titles = ["", "requests", "to", "with", ...(asked ? [""] : [])];
  return table(titles, [...rows, last], [1, 2, 3, 4]).join("\n");
}

interface Judged {
  readonly taken: number | null;
  readonly takenIfThere: readonly number[];
  readonly mismatch: string | null | undefined;
}

function verdict(number: number, takes: string, { taken, takenIfThere, mismatch }: Judged): string {
  if (takenIfThere.includes(number)) return "<- takes it if there is such a file";
  if (number === taken) return takes;
  if (mismatch !== null && mismatch !== undefined) return `another ${mismatch}`;
  return "fits, but comes later";
}
