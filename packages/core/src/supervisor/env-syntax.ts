import { parseEnv } from "node:util";

/** What is wrong in a text of variables, and where. */
export interface EnvFault {
  /** From 1. */
  readonly line: number;
  /** The end of a sentence. It shows nothing of the line, since there may be secrets in it. */
  readonly what: string;
}

export type EnvText = { readonly variables: Readonly<Record<string, string>> } | { readonly fault: EnvFault };

/**
 * Variables as Node's parser reads them. What that cannot read it leaves out, and says nothing; here it is a fault. The text is walked
 * through for the names that somebody has written there, and if the parser found others, so is the first that it did not find.
 */
export function readEnvText(text: string): EnvText {
  const walked = namesIn(text);
  if ("what" in walked) return { fault: walked };
  const variables = parseEnv(text) as Readonly<Record<string, string>>;
  for (const [name, line] of walked) {
    if (!Object.hasOwn(variables, name))
      return { fault: { line, what: "is part of another variable to Node's parser" } };
  }
  const more = Object.keys(variables).some((name) => !walked.has(name));
  return more ? { fault: { line: 1, what: "begins what Node's parser reads in another way" } } : { variables };
}

/** Each with its line. */
function namesIn(text: string): ReadonlyMap<string, number> | EnvFault {
  const names = new Map<string, number>();
  if (text.includes("\0")) return { line: lineAt(text, text.indexOf("\0")), what: "is no text" };
  let at = 0;
  while (at < text.length) {
    const end = endOfLine(text, at);
    const line = text.slice(at, end).trim();
    const number = lineAt(text, at);
    const start = at;
    at = end + 1;
    if (line === "" || line.startsWith("#")) continue;
    const [, name, rest = ""] = /^(?:export +)?([^=]*?)\s*=\s*(.*)$/s.exec(line) ?? [];
    if (name === undefined) return { line: number, what: "has no =" };
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) return { line: number, what: "has no name of a variable before the =" };
    names.set(name, number);
    const quote = rest[0] ?? "";
    if (quote === "" || !"\"'`".includes(quote)) continue;
    const closed = text.indexOf(quote, text.indexOf(quote, text.indexOf("=", start)) + 1);
    if (closed < 0) return { line: number, what: `has a ${quote} that is never closed` };
    const after = endOfLine(text, closed);
    if (!/^\s*(#.*)?$/.test(text.slice(closed + 1, after))) {
      return { line: lineAt(text, closed), what: `has more behind the closing ${quote}` };
    }
    at = after + 1;
  }
  return names;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
