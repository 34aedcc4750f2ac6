import type { Socket } from "node:net";
import { errorResponse } from "../http/error-response.ts";
import { reset } from "../tls/reset.ts";
import type { DeadlineWheel, Expiring } from "./deadline-wheel.ts";

/** For how long a refused client is read from, in milliseconds, so that a reset does not take the answer from it. */
const lingerMs = 500;
/** Refused connections that may linger at a time; one more is reset at once. Bounds what a flood of them can hold. */
const maxLingering = 256;

/** Turns connections away with one short answer. */
export class Refusals {
  readonly #wheel: DeadlineWheel;
  #lingering = 0;

  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
  }

  /** Without waiting for the client: for want of descriptors, of which each has one. */
  refuseInHaste(socket: Socket, status: 503): void {
    socket.on("error", () => {});
    socket.write(errorResponse(status, { retryAfterSeconds: 1 }));
    socket.destroySoon();
  }

  refuse(socket: Socket, status: 429 | 503): void {
    // The close that follows says all there is to do.
    socket.on("error", () => {});
    if (this.#lingering >= maxLingering) {
      reset(socket);
      return;
    }
    this.#lingering++;
    const linger: Expiring = { deadlineTick: 0, heldTick: 0, expired: () => socket.destroy() };
    this.#wheel.set(linger, lingerMs);
    socket.once("close", () => {
      this.#wheel.clear(linger);
      this.#lingering--;
    });
    socket.resume();
    socket.end(errorResponse(status, { retryAfterSeconds: 1 }));
  }
}
