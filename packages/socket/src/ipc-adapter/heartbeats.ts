/** A connection of Engine.IO's, as far as it is looked at here. */
export interface EngineConnection {
  /** 4 since Socket.IO 3. */
  readonly protocol: number;
  on(event: "heartbeat", listener: () => void): unknown;
  close(): void;
}

const listening = new WeakMap<EngineConnection, Set<() => void>>();

/**
 * Calls `answered` whenever the client has answered a ping of the server's, for as long as the connection lasts or until
 * it is taken back. One listener for all namespaces that share the connection.
 */
export function onPingAnswered(connection: EngineConnection, answered: () => void): () => void {
  let listeners = listening.get(connection);
  if (listeners === undefined) {
    const made = new Set<() => void>();
    listeners = made;
    listening.set(connection, made);
    // In version 3 it is the client that pings, which says nothing of what it has received.
    if (connection.protocol === 4)
      connection.on("heartbeat", () => {
        for (const listener of made) listener();
      });
  }
  const own = listeners.add(answered);
  return () => {
    own.delete(answered);
  };
}
