import { resolve } from "node:path";
import type { ClusterOptions, ExecOptions } from "../../src/index.ts";
import { type PrimaryOptions, PrimaryProcess } from "./primary-process.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures");

/** The command of `fixtures/program.ts`, which misbehaves in this way. */
export function program(way: string, argument: string | number = ""): readonly string[] {
  return [process.execPath, resolve(fixtures, "program.ts"), way, String(argument)];
}

/** A primary whose instances run a program. */
export function execPrimary(
  exec: ExecOptions | ExecOptions["command"],
  options: ClusterOptions & { readonly written?: boolean } = {},
  primary: PrimaryOptions = {},
): PrimaryProcess {
  const detailed =
    typeof exec === "string" || Array.isArray(exec) ? { command: exec as string } : (exec as ExecOptions);
  const all = { port: 0, instances: 2, exec: { cwd: fixtures, ...detailed }, ...options };
  return new PrimaryProcess("exec.ts", { ...primary, env: { LB_TEST_OPTIONS: JSON.stringify(all), ...primary.env } });
}
