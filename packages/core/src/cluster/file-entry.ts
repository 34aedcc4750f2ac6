import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AppEntry } from "../options/app-entry.ts";
import type { WorkerEntry } from "../supervisor/worker-entry.ts";
import { withHook } from "../worker/listen/child-places.ts";

declare const __filename: string | undefined;

/** Where the files of this package are, in its ESM and in its CommonJS form: all of them stand in one directory. */
const files = dirname(typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url));

/** How Node.js runs a file with our agent before it. */
export function fileEntry({ file, args, nodeArgs = process.execArgv, cwd = "" }: AppEntry): WorkerEntry {
  return { by: join(files, "app-instance.js"), file, args, execArgv: nodeArgs, cwd };
}

/** With what the threads and processes need that such a program starts. */
export function withChildHook(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const hook = join(files, "child-hook.cjs");
  const given = env["NODE_OPTIONS"] ?? process.env["NODE_OPTIONS"];
  return given?.includes(hook) === true ? env : { ...env, NODE_OPTIONS: withHook(hook, given) };
}
