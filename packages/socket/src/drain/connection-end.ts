/** An Engine.IO session on the server's side, with what is private of it and as old as Engine.IO itself. */
export interface EngineConnection {
  readonly readyState: string;
  readonly upgrading: boolean;
  readonly writeBuffer: readonly unknown[];
  /** There while a heartbeat waits for its answer. */
  readonly pingTimeoutTimer?: object | null;
  readonly transport: {
    readonly name: string;
    /** Nothing is on its way; with polling: the client waits for an answer. */
    writable: boolean;
    /** The request that brings packets now, with polling. */
    readonly dataReq?: object | null;
    close(): void;
  };
  close(): void;
}

/**
 * Ends a session in a moment when nothing is lost by it, and does nothing in any other: ask again.
 *
 * A WebSocket says good-bye and takes what its client sent before that came there; `Socket.close()` would drop it. What is
 * sent to the client meanwhile waits in the buffer and goes down with the session, as if the client were gone already.
 * Polling is ended by the answer to a poll that waits, and not while packets of the client are being read or, its
 * heartbeat being asked for, must be on their way.
 */
export function endGently(session: EngineConnection): void {
  const { transport } = session;
  if (session.upgrading || !transport.writable || session.writeBuffer.length > 0) return;
  switch (transport.name) {
    case "websocket":
      transport.writable = false;
      transport.close();
      return;
    case "polling":
      if (!transport.dataReq && !session.pingTimeoutTimer) session.close();
      return;
    default:
      session.close();
  }
}

export function endNow(session: EngineConnection): void {
  session.close();
}
