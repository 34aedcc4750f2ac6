import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { WorkerFacts } from "../ipc/worker-facts.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { AppServer } from "./app-server.ts";
import { Connections } from "./connections.ts";
import { Drain } from "./drain.ts";
import type { Intake } from "./intake.ts";
import { connectionEvent, giveConnection } from "./listen/server-protocol.ts";
import { giveBehindTls } from "./listen/tls-or-not.ts";
import { OwnPorts } from "./own-port/own-port.ts";
import { relayTo } from "./own-port/own-port-relay.ts";
import { RelayedDrain } from "./own-port/relayed-drain.ts";

/** An app that can be reached, as the agent holds it. */
export interface Serving {
  /** Undefined: the app runs in a process or a thread of its own. */
  readonly server: Server | undefined;
  readonly close: (() => PromiseLike<unknown>) | undefined;
  readonly intake: Pick<Intake, "end">;
  readonly drain: Pick<Drain, "announceEnd" | "run">;
  readonly ownPorts: Pick<OwnPorts, "openWhenFree">;
}

export interface ServeHereOptions {
  readonly facts: WorkerFacts;
  readonly app: AppServer;
  readonly openIntake: (server: Server) => Promise<Intake>;
  readonly clock: Clock;
}

/** Has the app's server get its connections, from the front and from the instance's own port. */
export async function serveHere({ facts, app, openIntake, clock }: ServeHereOptions): Promise<Serving> {
  const { host, port, ownPort } = facts;
  const { server, close } = app;
  const connections = new Connections(server);
  if (!server.listening) server.listen({ host, port: ownPort });
  if (!server.listening) await once(server, "listening");
  const ownPorts = new OwnPorts(giverOf(server), clock);
  await ownPorts.open({ host, port });
  const intake = await openIntake(server);
  const drain = new Drain({ server, intake, ownPorts, connections, clock });
  return { server, close, intake, drain, ownPorts };
}

export interface ServingElsewhere extends Serving {
  readonly drain: RelayedDrain;
}

/**
 * For an app that listens on the instance's own port by itself, in a process or a thread that the program has started.
 *
 * @throws LbError `LB_APP_PROCESSES` in hand-off mode
 */
export function serveElsewhere({ host, port, handoff }: WorkerFacts, clock: Clock): ServingElsewhere {
  if (handoff) {
    const remedy = 'use mode "proxy", or start the file that listens';
    const why = "connections can be handed to the main thread of an instance only";
    throw new LbError(
      "LB_APP_PROCESSES",
      `The program listens in a process or a thread that it has started, and ${why}: ${remedy}.`,
    );
  }
  const ownPorts = new OwnPorts(relayTo({ host, port }), clock);
  return { server: undefined, close: undefined, intake: { end() {} }, drain: new RelayedDrain(clock), ownPorts };
}

/** On its own port a TLS server of the app's answers as it would anywhere, and without TLS as the front asks it. */
function giverOf(server: Server): (socket: Socket) => void {
  return connectionEvent(server) === "connection"
    ? (socket) => giveConnection(server, socket)
    : (socket) => giveBehindTls(server, socket);
}
