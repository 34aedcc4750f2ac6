import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { acceptedProtocol } from "../http/upgrade-offer.ts";
import { contain } from "./agent-faults.ts";

/** Node asks it (from 22.21 and 24.9 on) whether an offer is the `upgrade` listeners'; by default, whether there are any. */
type UpgradingServer = Server & { shouldUpgradeCallback?: (this: Server, request: IncomingMessage) => boolean };

/**
 * Emitted on the server for an upgrade that another worker answers: the app here never has it. Its type is that of the
 * event whose arguments it has.
 */
export const relayedUpgrade = Symbol("lb.relayedUpgrade") as unknown as "upgrade";

/**
 * Calls `given` for each upgrade that goes to the app's listeners, before they get it, and for those that are relayed. A
 * listener of our own would not do:
 * while there is one, Node takes every offer for accepted, and one that the app knows nothing of is never answered.
 *
 * What the front does not let through as an upgrade, such as `h2c`, is none on the other ways to this server either.
 */
export function observeUpgrades(server: Server, given: (request: IncomingMessage, socket: Duplex) => void): void {
  const { emit } = server;
  // Hot path: called for every request. `arguments` passes on what came without making a list of it.
  server.emit = function (this: Server, name: string, request: IncomingMessage, socket: Duplex) {
    if (name === "upgrade" || name === relayedUpgrade) contain("an upgrade", () => given(request, socket));
    // biome-ignore lint/complexity/noArguments: see above
    return Reflect.apply(emit, this, arguments);
  } as Server["emit"];
  const upgrading = server as UpgradingServer;
  const { shouldUpgradeCallback: takes } = upgrading;
  if (typeof takes !== "function") return;
  upgrading.shouldUpgradeCallback = function (request) {
    return acceptedProtocol(request.headers.upgrade ?? "") !== undefined && takes.call(this, request);
  };
}
