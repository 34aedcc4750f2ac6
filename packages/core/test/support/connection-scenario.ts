import type { Server } from "node:http";

/** Where a scenario finds its app. */
export interface ScenarioSite {
  /** Where clients connect. */
  readonly port: number;
  /** The app's own server. */
  readonly server: Server;
}

/**
 * Something that apps do with connections. It is run on the app's own port and then behind whatever is to be compared
 * with it, and has to observe the same.
 */
export interface ConnectionScenario {
  readonly name: string;
  /** The app, not listening yet. */
  app(): Server | Promise<Server>;
  /** What client and app saw: plain data. */
  run(site: ScenarioSite): Promise<unknown>;
  /** What there is to see, so that two ways cannot fail alike. */
  readonly expected: unknown;
  /** What there is to see where the client has come over TLS. Default: the same. */
  readonly expectedOverTls?: unknown;
  /**
   * `connection`: it is about the connection itself, and sees something else behind a front that ends the client's
   * connection and has one of its own to the app. Default `exchange`.
   */
  readonly scope?: "connection" | "exchange";
}

export function scenario(name: string, parts: Omit<ConnectionScenario, "name">): ConnectionScenario {
  return { name, ...parts };
}
