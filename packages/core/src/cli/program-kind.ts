import { closeSync, openSync, readSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";

/** What a file is, as far as that can be told without running it. */
export type ProgramKind =
  | { readonly kind: "node" }
  /** A shell script that package managers make, and the program that it starts. */
  | { readonly kind: "shim"; readonly target: string }
  /** Something that Node cannot run: `a Python program`. */
  | { readonly kind: "other"; readonly what: string };

const byExtension: Readonly<Record<string, string>> = {
  ".py": "a Python program",
  ".rb": "a Ruby program",
  ".php": "a PHP program",
  ".pl": "a Perl program",
  ".sh": "a shell script",
  ".bash": "a shell script",
  ".zsh": "a shell script",
  ".ps1": "a PowerShell script",
  ".bat": "a batch file",
  ".cmd": "a batch file",
  ".go": "a Go source",
  ".rs": "a Rust source",
  ".java": "a Java source",
  ".jar": "a Java archive",
  ".exe": "a compiled program",
  ".dll": "a .NET assembly or a library",
  ".html": "a page",
  ".css": "a style sheet",
  ".md": "a text",
  ".txt": "a text",
  ".yml": "a YAML file",
  ".yaml": "a YAML file",
  ".toml": "a TOML file",
  ".env": "a file of variables",
};

const byInterpreter: readonly (readonly [RegExp, string])[] = [
  [/\b(node|tsx|ts-node)\b/, ""],
  [/\bpython[\d.]*\b/, "a Python program"],
  [/\bruby\b/, "a Ruby program"],
  [/\bperl\b/, "a Perl program"],
  [/\bphp\b/, "a PHP program"],
  [/\bdeno\b/, "a Deno program"],
  [/\bbun\b/, "a Bun program"],
  [/\b(ba|z|da|k|fi)?sh\b/, "a shell script"],
];

/** Of an existing file. */
export function programKind(path: string): ProgramKind {
  const head = beginning(path);
  if (/^(\x7fELF|MZ|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/.test(head))
    return { kind: "other", what: "a compiled program" };
  const name = basename(path);
  const what = byExtension[(name.startsWith(".") ? name : extname(name)).toLowerCase()];
  const [, interpreter] = /^#!(.*)/.exec(head) ?? [];
  const script = interpreter === undefined ? undefined : byInterpreter.find(([shape]) => shape.test(interpreter))?.[1];
  if (script === "a shell script") {
    // `node_modules/.bin/next` as pnpm, Yarn and npm on Windows write it.
    const [, named, older] = /^# cmd-shim-target=(.+)$|"\$basedir\/([^"$]+)"\s+"\$@"/m.exec(head) ?? [];
    const target = named ?? older;
    if (target !== undefined) return { kind: "shim", target: resolve(dirname(path), target) };
  }
  if (script !== undefined && script !== "") return { kind: "other", what: script };
  return what === undefined || script === "" ? { kind: "node" } : { kind: "other", what };
}

function beginning(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(16_384);
    return bytes.toString("latin1", 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
