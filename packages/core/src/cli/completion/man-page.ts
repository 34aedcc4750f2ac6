import type { CommandOption, CommandTree } from "./command-tree.ts";

const files = [
  ["lb.config.ts, .js, .mjs, .cjs, .json", "the configuration, in the working directory"],
  ["~/.local/state/lb/", "logs of clusters in the background ($XDG_STATE_HOME/lb)"],
  ["/tmp/lb-<uid>/", "control sockets ($LB_CONTROL_DIR, else $XDG_RUNTIME_DIR/lb)"],
] as const;

const environment = [
  ["PORT", "the public port"],
  ["WEB_CONCURRENCY", "how many instances"],
  ["LB_CONTROL_DIR", "where control sockets are"],
  ["NO_COLOR, FORCE_COLOR", "whether there are colours"],
] as const;

const exitCodes = [
  ["0", "done"],
  ["1", "it failed"],
  ["2", "the command line or an option is wrong"],
  ["3", "no such cluster runs"],
  ["4", "a reload was rolled back, and the old instances go on serving"],
  ["5", "lb doctor found something to worry about"],
] as const;

/** The manual page, in the language of man(7), of all commands there are. */
export function manPage(tree: CommandTree, version: string): string {
  return [
    `.TH LB 1 "" "lb ${text(version)}" "User Commands"`,
    ".SH NAME",
    `lb \\- ${text(lowered(tree.description))}`,
    ".SH SYNOPSIS",
    ...tree.commands.map(({ usage }) => `.B ${text(usage)}\n.br`),
    ".SH COMMANDS",
    ...tree.commands.flatMap((command) => section(command)),
    ".SH FILES",
    ...pairs(files),
    ".SH ENVIRONMENT",
    ...pairs(environment),
    ".SH EXIT STATUS",
    ...pairs(exitCodes),
    "",
  ].join("\n");
}

function section({ usage, description, arguments: given, options, commands }: CommandTree): readonly string[] {
  const groups = [...new Set(options.map(({ group }) => group))];
  return [
    `.SS ${text(usage)}`,
    text(description),
    ...pairs(given.filter((one) => one.description !== "").map((one) => [one.name, one.description] as const)),
    ...groups.flatMap((group) => [
      ...(group === undefined ? [] : [".PP", `.I ${text(group)}`]),
      ...options.filter((option) => option.group === group && !option.names.includes("--help")).flatMap(item),
    ]),
    ...commands.flatMap((command) => section(command)),
  ];
}

function item({ flags, description, choices }: CommandOption): readonly string[] {
  const among = choices.length === 0 ? "" : ` (${choices.join(", ")})`;
  return [".TP", `.B ${text(flags)}`, text(`${description}${among}`)];
}

function pairs(of: readonly (readonly [string, string])[]): readonly string[] {
  return of.flatMap(([name, meaning]) => [".TP", `.B ${text(name)}`, text(meaning)]);
}

/** What begins a line with a dot or an apostrophe would be an order. */
function text(of: string): string {
  const escaped = of
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function lowered(of: string): string {
  return of.charAt(0).toLowerCase() + of.slice(1).replace(/\.$/, "");
}
