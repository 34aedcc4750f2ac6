/**
 * What workers are started as: the program's place and its variables, as they were found at one moment. Whoever takes over after a crash
 * is of the same edition, so that neither a changed file nor a link that leads elsewhere gets into service but by a reload.
 */
export interface Edition {
  /** Over the primary's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Of an app: the file that is run. */
  readonly file?: string;
}

/** The names of variables that have other values in the one than in the other, or are in one alone. */
export function changedVariables(before: Edition, after: Edition): readonly string[] {
  const names = new Set([...Object.keys(before.env), ...Object.keys(after.env)]);
  return [...names].filter((name) => before.env[name] !== after.env[name]).sort();
}
