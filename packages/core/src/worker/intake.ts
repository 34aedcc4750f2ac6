import { once } from "node:events";
import type { Server } from "node:http";
import { createServer } from "node:net";
import { LbError } from "../model/errors.ts";

/** Where the front's traffic enters the worker. */
export interface Intake {
  /** Takes no further connections; those that are open stay. Removes the socket file. */
  close(): void;
}

/**
 * Opens the private Unix socket and gives what arrives on it to the app's server, as if it had accepted it: requests,
 * upgrades and time-outs are then as on its own port.
 *
 * @throws LbError `LB_INTAKE`
 */
export async function openIntake(path: string, server: Server): Promise<Intake> {
  const intake = createServer({ allowHalfOpen: true }, (socket) => server.emit("connection", socket));
  intake.listen(path);
  try {
    await once(intake, "listening");
  } catch (cause) {
    throw new LbError("LB_INTAKE", `Cannot open the private socket ${path}: ${(cause as Error).message}`, { cause });
  }
  return { close: () => void intake.close() };
}
