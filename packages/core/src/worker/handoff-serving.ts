import type { Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../model/clock.ts";
import { handedConnection } from "./handoff-connection.ts";
import { HandoffIntake } from "./handoff-intake.ts";
import type { Intake } from "./intake.ts";

export interface HandoffServingOptions {
  readonly server: Server;
  readonly clock: Clock;
}

/** Serves the connections that the primary hands to this process, until it closes; from then on they go back. */
export async function openHandoffIntake({ server, clock }: HandoffServingOptions): Promise<Intake> {
  const connections = new HandoffIntake({ server, channel: process, clock });
  const receive = (raw: unknown, handle: unknown) => void connections.receive(raw, handle);
  process.on("message", receive);
  let closing = false;
  const canMove = () => process.connected && connections.canReturn;
  const isHanded = (socket: Duplex) => socket instanceof Socket && handedConnection(socket) !== undefined;
  return {
    get moving() {
      return closing && connections.connections > 0 && canMove();
    },
    movesAway: (socket) => isHanded(socket) && canMove(),
    end() {
      process.off("message", receive);
      connections.stop();
    },
    close() {
      closing = true;
      if (canMove()) connections.returnAll();
    },
  };
}
