import type { RouteReport } from "../control/route-report.ts";
import { table } from "./status-table.ts";

/** The routes of a cluster for people, and which of them a request takes. */
export function routesTable({ routes, taken }: RouteReport): string {
  const asked = taken !== undefined;
  const rows = routes.map(({ name, to, with: done, mismatch }, number) => [
    String(number + 1),
    name,
    to,
    done.join(", "),
    ...(asked ? [verdict(number, taken, mismatch)] : []),
  ]);
  const last = ["", "all others", "app", "", ...(asked ? [taken === null ? "<- takes it" : ""] : [])];
  const titles = ["", "requests", "to", "with", ...(asked ? [""] : [])];
  return table(titles, [...rows, last], [1, 2, 3, 4]).join("\n");
}

function verdict(number: number, taken: number | null, mismatch: string | null | undefined): string {
  if (number === taken) return "<- takes it";
  if (mismatch !== null && mismatch !== undefined) return `another ${mismatch}`;
  return "fits, but comes later";
}
