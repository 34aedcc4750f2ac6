import type { Entry } from "./resolve-entry.ts";

/** The variable in which an instance finds what it runs, whatever a link leads to by then. It is gone before that runs. */
const variable = "LB_ENTRY";

export function entryVariables(entry: Entry): Readonly<Record<string, string>> {
  return { [variable]: JSON.stringify(entry) };
}

/** In an instance: what it was started to run. */
export function takeEntry(env: NodeJS.ProcessEnv): Entry | undefined {
  const { [variable]: text } = env;
  if (text === undefined || env["INSTANCE_ID"] === undefined) return undefined;
  delete env[variable];
  return JSON.parse(text) as Entry;
}
