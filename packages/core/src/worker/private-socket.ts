import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { LbError } from "../model/errors.ts";
import { contained, noteFault } from "./agent-faults.ts";

/**
 * Opens this worker's private Unix socket, where the front or other workers come. `who` is who, for a fault that is told.
 *
 * @throws LbError `LB_INTAKE`
 */
export async function openPrivateSocket(path: string, who: string, take: (socket: Socket) => void): Promise<Server> {
  const accept = contained(who, take, (socket) => socket.destroy());
  const intake = createServer({ allowHalfOpen: true }, accept);
  intake.listen(path);
  try {
    await once(intake, "listening");
  } catch (cause) {
    throw new LbError("LB_INTAKE", `Cannot open the private socket ${path}: ${(cause as Error).message}`, { cause });
  }
  // E.g. for want of descriptors: without a listener it would be the app's end.
  intake.on("error", (error) => noteFault(`accepting ${who}`, error));
  return intake;
}
