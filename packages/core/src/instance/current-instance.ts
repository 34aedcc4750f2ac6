import type { Instance } from "../worker/agent.ts";
import { sessionPrefix } from "../worker/socket-io/own-session-prefix.ts";

export interface CurrentInstance extends Instance {
  /**
   * What the Engine.IO session ids of this instance have to begin with, so that requests of a session find it. Absent
   * unless the cluster's option `affinity` names `"socket.io"`.
   */
  readonly sessionPrefix?: string;
}

/**
 * Which instance of a cluster this process is, from the variables every instance has; undefined in any other process.
 * For code that does not see the result of `cluster()`, such as middleware.
 */
export function currentInstance(
  env: Readonly<Record<string, string | undefined>> = process.env,
): CurrentInstance | undefined {
  const { INSTANCE_ID: id, NODE_APP_INSTANCE: index, INSTANCE_PORT: port, HOST: host } = env;
  // Others set some of these too (PM2, platforms); only an instance has all of them, in step with one another.
  if (id === undefined || port === undefined || host === undefined || Number(id) !== Number(index) + 1)
    return undefined;
  const instance = { id: Number(id), port: Number(port), host };
  const prefix = sessionPrefix();
  return prefix === undefined ? instance : { ...instance, sessionPrefix: prefix };
}
