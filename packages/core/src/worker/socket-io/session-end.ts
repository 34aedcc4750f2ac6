import type { Clock } from "../../model/clock.ts";

/** An Engine.IO session on the server's side, with what is private of it and as old as Engine.IO itself. */
export interface EngineSession {
  readonly readyState: string;
  readonly upgrading: boolean;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    /** Nothing is on its way; with polling: the client waits for an answer. */
    writable: boolean;
    send(packets: readonly { readonly type: "close" }[]): void;
    close(): void;
  };
  /** `discard`: at once, whatever is still to be sent. */
  close(discard?: boolean): void;
}

/**
 * What a polling client sent before it read the good-bye comes within this time. It is less than what clients wait, by
 * default, before they connect again. In milliseconds.
 */
const crossingMs = 400;

/**
 * Ends a session in a moment when nothing is on its way to the client, and does nothing in any other: ask again. The
 * client is told, and what it sent before it heard of it is still taken; Engine.IO's `close()` alone would drop it. What
 * is sent to the client meanwhile waits in the buffer and goes down with the session, as if the client were gone already.
 */
export function endGently(session: EngineSession, clock: Clock): void {
  const { transport } = session;
  if (session.upgrading || !transport.writable || session.writeBuffer.length > 0) return;
  switch (transport.name) {
    case "websocket":
      transport.writable = false;
      // The client answers with a close frame of its own, behind all that it sent.
      transport.close();
      return;
    case "polling":
      transport.send([{ type: "close" }]);
      clock.after(crossingMs, () => session.close(true), { keepAlive: true });
      return;
    default:
      session.close();
  }
}

/** But for a polling client that is between two polls: Engine.IO would wait for the next one for half a minute. */
export function endNow(session: EngineSession): void {
  if (session.transport.name === "polling" && !session.transport.writable) return;
  session.close();
}

/** The client has not come for what is there for it, and is not waited for. */
export function giveUp(session: EngineSession): void {
  session.close(true);
}
