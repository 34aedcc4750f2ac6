import { connect, type Socket } from "node:net";
import type { Clock, Timer } from "../../model/clock.ts";
import { contained } from "../agent-faults.ts";
import { type PeerPreface, writePreface } from "./peer-preface.ts";

/** `gone`: nobody is there any more; `busy`: it is there, and takes no connection. */
export type PeerRefusal = "gone" | "busy";

export interface PeerConnectionOptions {
  /** The other worker's private socket. */
  readonly path: string;
  readonly preface: PeerPreface;
  readonly clock: Clock;
  readonly connected: (socket: Socket) => void;
  readonly failed: (reason: PeerRefusal) => void;
}

/** One that is blocked has a full queue of connections; it is tried again this often, and altogether for so long. */
const retryMs = 20;
const patienceMs = 10_000;

/** What a worker leaves behind: no socket, or one at which nobody listens. */
const leftBehind: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/** Connects to another worker. One of the two calls is made, in a later turn. Returns the call after which none is made. */
export function connectPeer({ path, preface, clock, connected, failed }: PeerConnectionOptions): () => void {
  const until = clock.now() + patienceMs;
  let socket: Socket | undefined;
  let retry: Timer | undefined;
  let over = false;

  const refused = ({ code }: { readonly code?: string }) => {
    if (over) return;
    const gone = leftBehind.has(code);
    if (!gone && clock.now() < until) {
      retry = clock.after(
        retryMs,
        contained("the next try to reach a peer", attempt, () => failed("busy")),
      );
      return;
    }
    over = true;
    failed(gone ? "gone" : "busy");
  };
  const attempt = () => {
    const trying = connect({ path, allowHalfOpen: true });
    socket = trying;
    trying.on("error", ignore);
    trying.once("error", contained("a peer that cannot be reached", refused));
    trying.once(
      "connect",
      contained("a peer that was reached", () => {
        trying.removeAllListeners("error").on("error", ignore);
        over = true;
        trying.write(writePreface(preface));
        connected(trying);
      }),
    );
  };
  attempt();
  return () => {
    over = true;
    retry?.cancel();
    socket?.destroy();
  };
}

function ignore(): void {}
