// The tables of options in the documentation, made from where the options are declared: packages/core/src/options/, and
// those of the other packages. They know core by its name, as it was built.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChangeRule, changeRules } from "../packages/core/src/options/change-rules.ts";
import { clusterSchema } from "../packages/core/src/options/cluster-options.ts";
import { deploySchema } from "../packages/core/src/options/deploy-options.ts";
import { fileSchema } from "../packages/core/src/options/file-options.ts";
import { type DescribedOption, describe } from "../packages/core/src/options/option.ts";
import { reloadSchema } from "../packages/core/src/options/reload-options.ts";
import { balanceSchema } from "../packages/express/src/gateway/options.ts";
import { setupWorkerSchema } from "../packages/socket/src/options.ts";

/** Which columns a table has, and what is in it. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const folder = join(import.meta.dirname, "../docs");

/** The pages that have tables of options. */
export const optionPages: readonly string[] = [
  "options.md",
  "operations.md",
  "deploy.md",
  "files.md",
  "express.md",
  "socket.md",
].map((name) => join(folder, name));

/** What stands between the markers is made here, what stands around them is written by hand. */
const marked = /(<!-- options: (\S+) -->\n)[\s\S]*?(\n<!-- end -->)/g;

/** A page with its tables as the options are now. */
export function withOptionTables(page: string): string {
  return page.replace(marked, (_, begin: string, name: string, end: string) => {
    return `${begin}\n${markdown(table(name))}${end}`;
  });
}

/** Whole groups of options by name. The paths of all but the cluster's begin with it. */
const groups: Readonly<Record<string, readonly DescribedOption[]>> = {
  cluster: describe(clusterSchema),
  reload: describe(reloadSchema, "reload."),
  deploy: describe(deploySchema, "deploy."),
  files: describe(fileSchema, "files."),
  balance: describe(balanceSchema, "balance."),
  setupWorker: describe(setupWorkerSchema, "setupWorker."),
};

function table(name: string): Table {
  const [group = ""] = name.split(".");
  const all = groups[group] ?? groups["cluster"]!;
  if (name === group && groups[group] !== undefined) {
    const prefix = group === "cluster" ? "" : `${group}.`;
    const head = ["option", "default", ""];
    if (group !== "cluster") return { head, rows: all.map((option) => row(option, prefix)) };
    return { head: [...head, "changes"], rows: all.map((option) => [...row(option), changes(option)]) };
  }
  const { parts } = find(all, name);
  if (parts[0]?.notes.written !== undefined) {
    return { head: ["rule", "what decides"], rows: parts.map(({ notes, about }) => [notes.written ?? "", about]) };
  }
  const head = ["option", "default", name === "limits" ? "over it" : ""];
  const rows = parts.flatMap(withParts);
  if (all !== groups["cluster"] || !isToldApart(ruleOf(name))) {
    return { head, rows: rows.map((option) => row(option, `${name}.`)) };
  }
  return { head: [...head, "changes"], rows: rows.map((option) => [...row(option, `${name}.`), changes(option)]) };
}

function withParts(option: DescribedOption): readonly DescribedOption[] {
  return [option, ...option.parts.flatMap(withParts)];
}

function find(options: readonly DescribedOption[], path: string): DescribedOption {
  const found = options.flatMap(withParts).find((option) => option.path === path);
  if (found === undefined) throw new Error(`A page has a table of the options of ${path}, which there is not`);
  return found;
}

function row(option: DescribedOption, prefix = ""): readonly string[] {
  return [`\`${option.path.slice(prefix.length)}\``, fallbackCell(option), option.about];
}

/** How it is changed in a cluster that runs. */
function changes({ path }: DescribedOption): string {
  const rule = ruleOf(path);
  if (isToldApart(rule)) return "by its parts";
  if (typeof rule === "string") return rule;
  return `${rule.proxy}; hand-off: ${rule.handoff}`;
}

/** The one that is about it: its own, or that of the group in which it is. */
function ruleOf(path: string): ChangeRule {
  const [first, ...names] = path.split(".");
  let rule = (changeRules as Readonly<Record<string, ChangeRule>>)[first!]!;
  for (const name of names) if (isToldApart(rule)) rule = rule.parts[name]!;
  return rule;
}

function isToldApart(rule: ChangeRule): rule is Extract<ChangeRule, { readonly parts: unknown }> {
  return typeof rule === "object" && "parts" in rule;
}

function fallbackCell({ fallback, isRequired, notes: { otherwise, underStart } }: DescribedOption): string {
  const own = isRequired ? "required" : (otherwise ?? valueCell(fallback));
  return underStart === undefined ? own : `${own}; \`lb start\`: ${valueCell(underStart)}`;
}

/** As it is written in code; numbers as they are read. */
export function valueCell(value: unknown): string {
  if (value === undefined) return "none";
  if (value === Number.POSITIVE_INFINITY) return "unlimited";
  if (typeof value === "number") return value.toLocaleString("en-US");
  if (Array.isArray(value)) return `\`[${value.map((item) => JSON.stringify(item)).join(", ")}]\``;
  if (typeof value === "string" || typeof value === "boolean") return `\`${JSON.stringify(value)}\``;
  const entries = Object.entries(value as object);
  return `\`{ ${entries.map(([name, part]) => `${name}: ${JSON.stringify(part)}`).join(", ")} }\``;
}

export function markdown({ head, rows }: Table): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((cells) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |\n`;
  return line(head) + line(widths.map((width) => "-".repeat(width))) + rows.map(line).join("");
}

if (import.meta.main) {
  for (const page of optionPages) writeFileSync(page, withOptionTables(readFileSync(page, "utf8")));
}
