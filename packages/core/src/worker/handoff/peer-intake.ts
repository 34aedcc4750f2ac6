import type { Server } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../model/clock.ts";
import { contained, runApp } from "../agent-faults.ts";
import { giveConnection } from "../listen/server-protocol.ts";
import { openPrivateSocket } from "../private-socket.ts";
import { maxPrefaceBytes, readPreface } from "./peer-preface.ts";
import { showClient } from "./shown-client.ts";

const lineFeed = 0x0a;

/** What such a connection's socket carries. */
const fromPeer = Symbol("lb.peer");

/** Another worker has relayed it, as its client asked. */
export function isFromPeer(socket: Duplex): boolean {
  return fromPeer in socket;
}

/** A peer says at once who it is; but its event loop, or this one, may be blocked just then. */
const prefaceMs = 10_000;

/**
 * The worker's private socket in hand-off mode: other workers relay requests to it that belong here. To the app they come
 * on connections of the clients themselves.
 *
 * @throws LbError `LB_INTAKE`
 */
export function openPeerIntake(path: string, server: Server, clock: Clock): Promise<NetServer> {
  return openPrivateSocket(path, "a connection of a peer", (socket) => greet(socket, server, clock));
}

function greet(socket: Socket, server: Server, clock: Clock): void {
  const deadline = clock.after(prefaceMs, () => socket.destroy());
  let held: Buffer | undefined;
  const ignore = () => {};
  socket.on("error", ignore);
  const receive = contained(
    "a peer's first words",
    (chunk: Buffer) => {
      const bytes: Buffer = held === undefined ? chunk : Buffer.concat([held, chunk]);
      const end = bytes.indexOf(lineFeed);
      if (end === -1 && bytes.length < maxPrefaceBytes) {
        held = bytes;
        return;
      }
      deadline.cancel();
      socket.off("data", receive);
      const preface = end === -1 ? undefined : readPreface(bytes.toString("latin1", 0, end));
      if (preface === undefined) {
        socket.destroy();
        return;
      }
      socket.off("error", ignore);
      socket.pause();
      showClient(socket, preface);
      Object.defineProperties(socket, { encrypted: { value: preface.encrypted }, [fromPeer]: { value: true } });
      giveConnection(server, socket);
      // What is read here may be answered by the app within the call.
      if (end + 1 < bytes.length) runApp(() => socket.unshift(bytes.subarray(end + 1)));
      socket.resume();
    },
    () => socket.destroy(),
  );
  socket.on("data", receive);
  socket.once("close", () => deadline.cancel());
}
