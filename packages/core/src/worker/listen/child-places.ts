/**
 * Where the processes and threads that a program starts listen: the program may be a launcher, and one of them its app.
 * Told in the environment, which they inherit.
 */
export interface ChildPlaces {
  /** Who listens on one of these means the app. */
  readonly appPorts: readonly number[];
  /** Where it listens instead: the instance's own port. */
  readonly host: string;
  readonly port: number;
}

/** Read by {@link childPlaces} in what has the hook. */
const variable = "LB_CHILD_PORTS";

/** What tells the processes and threads that a program starts where to listen. */
export function childVariables(places: ChildPlaces): Record<string, string> {
  return { [variable]: JSON.stringify(places) };
}

/** `NODE_OPTIONS` with which a process loads the file `hook`, and with it all that it starts: its threads above all. */
export function withHook(hook: string, nodeOptions = ""): string {
  // Node takes a quoted word as it is, but for backslashes (node.cc, `ParseNodeOptionsEnvVar`).
  const quoted = `"${hook.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `${nodeOptions} --require ${quoted}`.trim();
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
