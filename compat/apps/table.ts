import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mode } from "./app.ts";
import { isKnown, type Row } from "./gauntlet.ts";
import type { NamedApp } from "./installation.ts";
import { notHad } from "./not-had.ts";
import { cache } from "./programs.ts";

const kept = join(cache, "rows.json");
const table = join(cache, "..", "..", "..", "docs", "compatibility.md");

type Rows = Readonly<Record<string, Row>>;

/** Keeps what became of a program, so that the table can be made of several runs. */
export function keepRow(row: Row): void {
  const rows = keptRows();
  mkdirSync(dirname(kept), { recursive: true });
  const merged = { ...row, trials: { ...rows[row.name]?.trials, ...row.trials } };
  writeFileSync(kept, JSON.stringify({ ...rows, [row.name]: merged }, null, 2));
}

function keptRows(): Rows {
  try {
    return JSON.parse(readFileSync(kept, "utf8")) as Rows;
  } catch {
    return {};
  }
}

/** Writes docs/compatibility.md of all that is known. */
export function writeTable(apps: readonly NamedApp[]): void {
  const rows = keptRows();
  const lines = apps.map((app) => line(app, rows[app.name]));
  const failures = apps.flatMap((app) => details(app, rows[app.name]));
  const text = [
    "# Compatibility",
    "",
    "Made by `pnpm gauntlet` ([compat/apps](../compat/apps/README.md)); do not edit. Programs from npm, unmodified, under `lb start <entry> -i 3` in both",
    "modes. For each: it starts; its answers are the same bytes as those of plain `node <entry>`, redirects included; they come from several instances;",
    "nothing listens beyond loopback; `kill -9` of an instance under load (proxy mode: no request fails) and `lb reload` under load (no request fails);",
    "`lb stop` exits 0 without an error in the output, and no process is left. What the programs are made of is locked to the last package, and",
    "`.ci/gauntlet` is the job that does it all again.",
    "",
    ...aligned([["program", "versions", "proxy", "hand-off", ""], ...lines]),
    "",
    ...(failures.length > 0 ? ["## What does not work, and why", "", ...failures, ""] : []),
    "## What could not be tried",
    "",
    ...notHad.map(({ title, why }) => `- **${title}**: ${why}`),
    "",
  ].join("\n");
  writeFileSync(table, text);
}

/** As the formatter of this repository wants tables. */
function aligned([head, ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head!.map((_, at) => Math.max(3, ...[head!, ...rows].map((row) => row[at]!.length)));
  const text = (row: readonly string[]) => `| ${row.map((column, at) => column.padEnd(widths[at]!)).join(" | ")} |`;
  return [text(head!), text(widths.map((width) => "-".repeat(width))), ...rows.map(text)];
}

function line(app: NamedApp, row: Row | undefined): readonly string[] {
  const versions = Object.entries(app.packages)
    .slice(0, 3)
    .map(([name, version]) => `${name} ${version}`);
  const notes = [
    app.flags === undefined ? [] : [`with \`${app.flags.join(" ")}\``],
    app.note === undefined ? [] : [app.note],
  ].flat();
  const columns = [
    app.title,
    versions.join(", "),
    cell(app, row, "proxy"),
    cell(app, row, "handoff"),
    notes.join("; "),
  ];
  return columns.map((column) => column.replaceAll("|", "\\|"));
}

function cell(app: NamedApp, row: Row | undefined, mode: Mode): string {
  const checks = row?.trials[mode];
  if (row?.unfit !== undefined && checks === undefined) return "not tried";
  if (checks === undefined) return "not run";
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return "yes";
  const names = failed.map(({ name }) => name).join(", ");
  if (failed.some(({ name }) => name === "starts")) return "no, see below";
  return failed.every((check) => isKnown(app, check, mode)) ? `all but: ${names}` : `**no**: ${names}`;
}

function details(app: NamedApp, row: Row | undefined): readonly string[] {
  if (row?.unfit !== undefined) return [`- **${app.title}** could not be tried: ${oneLine(row.unfit)}`];
  const known = (app.known ?? []).map(
    ({ check, modes, why }) => `- **${app.title}**, ${check} (${modes.join(", ")}): ${why}`,
  );
  const unknown = (["proxy", "handoff"] as const).flatMap((mode) =>
    (row?.trials[mode] ?? [])
      .filter((check) => !check.ok && !isKnown(app, check, mode))
      .map(({ name, detail }) => `- **${app.title}**, ${name} (${mode}): ${oneLine(detail)}`),
  );
  return [...known, ...unknown];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 400);
}
