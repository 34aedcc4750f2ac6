import type { Case, Suite } from "./suite.ts";

/** One case, and why it failed if it did. */
export interface Ran {
  readonly suite: Suite;
  readonly case: Case;
  readonly failure: string | undefined;
}

/** The page of all suites. */
export function tableOf(suites: readonly Suite[], results: readonly Ran[]): string {
  const parts = suites.flatMap((suite) =>
    partOf(
      suite,
      results.filter((one) => one.suite === suite),
    ),
  );
  const text = [
    "# The gateway and the tests of others",
    "",
    "Made by `pnpm compat:gateway` ([compat/gateway](../compat/gateway/README.md)); do not edit. The public tests of the proxies that people use in Express and",
    "Fastify, adapted: each case does what the test of that name does, over real connections, with the project's options mapped to those of `@lb/express` by",
    "thin adapters. Tests that differ in an option alone are one case. What is not adapted says why.",
    "",
    ...parts,
  ];
  return `${text.join("\n").trimEnd()}\n`;
}

function partOf(suite: Suite, results: readonly Ran[]): readonly string[] {
  const { project, version, source, files } = suite;
  const passed = results.filter(({ failure }) => failure === undefined);
  const tests = Object.values(files).reduce((sum, file) => sum + file.tests, 0);
  const rows = Object.entries(files).map(([name, file]) => {
    const ofFile = results.filter((one) => one.case.file === name);
    const good = ofFile.filter(({ failure }) => failure === undefined).length;
    return [name, String(file.tests), ofFile.length === 0 ? "" : `${good} of ${ofFile.length}`, file.rest ?? ""];
  });
  const differing = results.filter(({ failure }) => failure !== undefined);
  return [
    `## ${project} ${version}`,
    "",
    `[Its tests](${source}) (MIT): ${tests} in ${rows.length} files. ${passed.length} of ${results.length} cases pass.`,
    "",
    ...markdown([["file", "tests there", "cases that pass", "what is not here, and why"], ...rows]),
    "",
    ...(differing.length === 0 ? [] : ["What does not hold, and why:", ""]),
    ...differing.map((one) => `- \`${one.case.file}\`, ${one.case.name}: ${one.case.differs}`),
    ...(differing.length === 0 ? [] : [""]),
  ];
}

function markdown([head, ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head!.map((title, at) => Math.max(title.length, ...rows.map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
