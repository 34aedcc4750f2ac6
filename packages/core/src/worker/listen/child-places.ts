/**
 * Where the processes that a program starts listen: the program may be a launcher, and one of them its app. Told in the
 * environment, which they inherit.
 */
export interface ChildPlaces {
  /** A process that listens on one of these means the app. */
  readonly appPorts: readonly number[];
  /** Where it listens instead: the instance's own port. */
  readonly host: string;
  readonly port: number;
}

/** Read by {@link childPlaces} in the processes that have the hook. */
const variable = "LB_CHILD_PORTS";

/** The variables by which Node processes started from here on listen in the right places; `hook` is the file of theirs. */
export function childVariables(places: ChildPlaces, hook: string, nodeOptions = ""): Record<string, string> {
  // Node takes a quoted word as it is, but for backslashes (node.cc, `ParseNodeOptionsEnvVar`).
  const quoted = `"${hook.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return { NODE_OPTIONS: `${nodeOptions} --require ${quoted}`.trim(), [variable]: JSON.stringify(places) };
}

/** Undefined in a process that nothing was told. */
export function childPlaces(env: Readonly<Record<string, string | undefined>>): ChildPlaces | undefined {
  try {
    const { appPorts, host, port } = JSON.parse(env[variable] ?? "") as ChildPlaces;
    return Array.isArray(appPorts) && typeof host === "string" && Number.isInteger(port)
      ? { appPorts, host, port }
      : undefined;
  } catch {
    return undefined;
  }
}
