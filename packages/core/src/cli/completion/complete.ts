import type { CommandOption, CommandTree } from "./command-tree.ts";

/** What may stand where the cursor is. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Names of files, or of directories alone, may stand there as well: shells know these best. */
  readonly paths: "files" | "directories" | undefined;
}

export interface Candidate {
  readonly text: string;
  readonly description: string;
}

/** What is asked for only where it is needed. */
export interface Running {
  readonly clusters: () => Promise<readonly { readonly name: string; readonly pid: number }[]>;
}

const nothing: Completion = { candidates: [], paths: undefined };
/** Arguments that say which cluster, by their names. */
const clusterArguments = new Set(["name", "which", "id"]);
const pathValues: Readonly<Record<string, "files" | "directories">> = {
  file: "files",
  path: "files",
  directory: "directories",
  entry: "files",
};

/** `words`: all behind `lb`, the last being the one that is written, perhaps empty. */
export async function complete(tree: CommandTree, words: readonly string[], running: Running): Promise<Completion> {
  const [current = "", ...before] = joined(words).toReversed();
  const given = before.toReversed();
  const { command, positions, awaiting } = walked(tree, given);
  if (given.includes("--")) return { candidates: [], paths: "files" };
  if (awaiting !== undefined) return valuesOf(awaiting, current, running);
  if (current.startsWith("-")) {
    const equals = current.indexOf("=");
    const option =
      equals < 0 ? undefined : command.options.find(({ names }) => names.includes(current.slice(0, equals)));
    if (option === undefined) return { candidates: optionsOf(command, current, given), paths: undefined };
    const { candidates, paths } = await valuesOf(option, current.slice(equals + 1), running);
    const start = current.slice(0, equals + 1);
    return { candidates: candidates.map(({ text, description }) => ({ text: start + text, description })), paths };
  }
  const commands =
    positions === 0 ? command.commands.map(({ name, description }) => ({ text: name, description })) : [];
  const argument = command.arguments[Math.min(positions, command.arguments.length - 1)];
  const isCluster = argument !== undefined && positions === 0 && clusterArguments.has(argument.name);
  const clusters = isCluster ? await clustersOf(running) : [];
  return {
    candidates: matching([...commands, ...clusters], current),
    paths: argument === undefined ? undefined : pathValues[argument.name],
  };
}

/** Bash cuts words at equals signs: `--log`, `=`, `js`. */
function joined(words: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    const isCut = word === "=" && whole.at(-1)?.startsWith("--") === true;
    if (!isCut) whole.push(word);
    // The value stands by itself then, as bash expects it, behind an option that awaits one.
    else if (at === words.length - 1) whole.push("");
  }
  return whole;
}

interface Walked {
  readonly command: CommandTree;
  /** Arguments that are given already. */
  readonly positions: number;
  /** The option whose value comes next. */
  readonly awaiting: CommandOption | undefined;
}

function walked(tree: CommandTree, words: readonly string[]): Walked {
  let command = tree;
  let positions = 0;
  let awaiting: CommandOption | undefined;
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = command.options.find(({ names }) => names.includes(word));
      // A value that may be left out is not waited for.
      awaiting = option?.value !== undefined && option.flags.includes("<") ? option : undefined;
      continue;
    }
    const inner =
      positions === 0
        ? command.commands.find(({ name, aliases }) => name === word || aliases.includes(word))
        : undefined;
    if (inner === undefined) positions += 1;
    else command = inner;
  }
  return { command, positions, awaiting };
}

async function valuesOf(
  { names, value = "", choices }: CommandOption,
  current: string,
  running: Running,
): Promise<Completion> {
  if (choices.length > 0)
    return {
      candidates: matching(
        choices.map((text) => ({ text, description: "" })),
        current,
      ),
      paths: undefined,
    };
  if (names.includes("--name")) return { candidates: matching(await clustersOf(running), current), paths: undefined };
  if (names.includes("--pid")) {
    const pids = (await running.clusters()).map(({ name, pid }) => ({ text: String(pid), description: name }));
    return { candidates: matching(pids, current), paths: undefined };
  }
  return value in pathValues ? { candidates: [], paths: pathValues[value] } : nothing;
}

/** The same option twice is a mistake, but for those that may be given several times. */
function optionsOf({ options }: CommandTree, current: string, given: readonly string[]): readonly Candidate[] {
  return options
    .filter(
      ({ names, description }) => !names.some((name) => given.includes(name)) || /several|again/.test(description),
    )
    .flatMap(({ names, description }) =>
      names.filter((name) => name.startsWith("--") || names.length === 1).map((text) => ({ text, description })),
    )
    .filter(({ text }) => text.startsWith(current));
}

async function clustersOf(running: Running): Promise<readonly Candidate[]> {
  return (await running.clusters()).map(({ name, pid }) => ({ text: name, description: `pid ${pid}` }));
}

function matching(candidates: readonly Candidate[], start: string): readonly Candidate[] {
  return candidates.filter(({ text }) => text.startsWith(start));
}
