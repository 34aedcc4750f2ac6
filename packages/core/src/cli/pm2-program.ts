import { extname } from "node:path";

/** What PM2 runs scripts by that are not of Node.js, by their extensions. */
const interpreters: Readonly<Record<string, string>> = {
  ".py": "python3",
  ".rb": "ruby",
  ".php": "php",
  ".pl": "perl",
  ".sh": "bash",
};

/** How an app of PM2's says what it runs. */
export interface Pm2Script {
  readonly script: string;
  /** `"none"`: the script is a program itself. */
  readonly interpreter: string | undefined;
  readonly interpreterArgs: readonly string[];
  readonly args: readonly string[];
}

/** The words of its command, if it is not run by Node.js. */
export function pm2Program({ script, interpreter, interpreterArgs, args }: Pm2Script): readonly string[] | undefined {
  const by = interpreter ?? interpreters[extname(script)];
  if (by === undefined || /(^|\/)node(js)?$/.test(by)) return undefined;
  return by === "none" ? [script, ...args] : [by, ...interpreterArgs, script, ...args];
}
