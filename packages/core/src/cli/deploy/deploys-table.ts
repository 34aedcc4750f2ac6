import { table } from "../status-table.ts";
import type { DeployRecord } from "./deploy-record.ts";
import { spanWords } from "./deploy-screen.ts";

/** The deploys of a cluster, for people; the newest first. */
export function deploysTable(records: readonly DeployRecord[]): string {
  const rows = records.map((record) => {
    const { id, kind, outcome, startedAt, ms, by, commit, failed } = record;
    const why = failed === null ? "" : ` at ${failed.at}`;
    return [
      id,
      localTime(startedAt),
      kind,
      `${outcome}${why}`,
      outcome === "running" ? "-" : spanWords(ms),
      by,
      commit === null ? "-" : `${commit.hash.slice(0, 10)} ${commit.subject.slice(0, 40)}`,
    ];
  });
  return table(["id", "when", "", "result", "took", "by", "commit"], rows, [0, 1, 2, 3, 5, 6]).join("\n");
}

/** One of them, with what its steps wrote. */
export function deployText(record: DeployRecord): string {
  const { id, kind, outcome, startedAt, ms, by, commit, commitBefore, release, releaseBefore, steps, failed } = record;
  const shown = (one: DeployRecord["commit"]) => (one === null ? "-" : `${one.hash.slice(0, 10)} ${one.subject}`);
  return [
    `${id}  ${kind}  ${outcome}  ${localTime(startedAt)}, ${spanWords(ms)}, by ${by}`,
    `commit   ${shown(commit)}  (before: ${shown(commitBefore)})`,
    ...(release === null ? [] : [`release  ${release}  (before: ${releaseBefore ?? "-"})`]),
    ...(failed === null ? [] : [`failed   at ${failed.at}: ${failed.why}`]),
    ...steps.flatMap(({ name, ms: took, failure, output }) => [
      "",
      `${failure === undefined ? "✓" : "✗"} ${name}  ${spanWords(took)}${failure === undefined ? "" : `  ${failure}`}`,
      ...output.map((line) => `  | ${line}`),
    ]),
  ].join("\n");
}

function localTime(iso: string): string {
  const date = new Date(iso);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace("T", " ").slice(0, 19);
}
