import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { LbError } from "../model/errors.ts";
import { readEnvText } from "./env-syntax.ts";

/** Nobody has so much to set; whatever is larger is another file. */
const maxBytes = 1_048_576;

/**
 * The variables in these files, of which the later win. Read by Node's own parser; what that would leave out unsaid is an error.
 *
 * @throws LbError `LB_ENV_FILE` with the file, and the line where there is one
 */
export async function readEnvFiles(paths: readonly string[], cwd: string): Promise<Readonly<Record<string, string>>> {
  const variables: Record<string, string> = {};
  for (const path of paths) Object.assign(variables, await readEnvFile(resolve(cwd, path)));
  return variables;
}

async function readEnvFile(path: string): Promise<Readonly<Record<string, string>>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw unusable(path, `cannot be read: ${(error as Error).message}`);
  }
  if (text.length > maxBytes) throw unusable(path, `is larger than ${maxBytes} bytes`);
  const read = readEnvText(text);
  if ("fault" in read) throw unusable(`${path}:${read.fault.line}`, read.fault.what);
  return read.variables;
}

function unusable(where: string, what: string): LbError {
  return new LbError(
    "LB_ENV_FILE",
    `The variables in ${where} cannot be used: the ${/:\d+$/.test(where) ? "line" : "file"} ${what}.`,
  );
}
