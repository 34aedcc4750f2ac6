/** As a shell has it, or word by word. */
export type Command = string | readonly string[];

/** What is run, and with which words. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  /** What may be said of it aloud: its first word, since there may be secrets among the others. */
  readonly shown: string;
  /** A shell stands between for as long as it runs: a signal to the leader alone would end the shell, and not the program. */
  readonly throughShell: boolean;
}

/** What commands and variables may leave to us, in braces: `{port}`. */
export interface Places {
  readonly port: number;
  readonly host: string;
  readonly instance: number;
}

export function filled(text: string, places: Places): string {
  return text.replace(/\{(port|host|instance)\}/g, (_, name: keyof Places) => String(places[name]));
}

/**
 * A list is run as it is. A text is for `/bin/sh`, as in a Procfile: with its quotes, variables and whatever else people are used
 * to. Where it is one command, the shell makes way for it (`exec`), so that the program itself is what is supervised and signalled.
 */
export function commandLine(command: Command, places: Places): CommandLine {
  if (typeof command !== "string") {
    const [file, ...args] = command.map((word) => filled(word, places));
    return { file: file!, args, shown: file!, throughShell: false };
  }
  const text = filled(command, places).trim();
  const isOne = !/[;&|()`\n]/.test(text) && !/^(exec\s|\w+=)/.test(text);
  const throughShell = !isOne && !/^exec\s[^;&|()`\n]*$/.test(text);
  return {
    file: "/bin/sh",
    args: ["-c", isOne ? `exec ${text}` : text],
    shown: isOne ? text.split(/\s/)[0]! : "/bin/sh -c …",
    throughShell,
  };
}
