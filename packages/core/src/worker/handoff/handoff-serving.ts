import type { Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { internalEvent } from "../../ipc/internal-message.ts";
import type { WorkerFacts } from "../../ipc/worker-facts.ts";
import { type Clock, systemWallClock } from "../../model/clock.ts";
import { systemRandom } from "../../model/random.ts";
import { contained } from "../agent-faults.ts";
import type { Intake } from "../intake.ts";
import { clusterRoster, lingeringPeers } from "../peers.ts";
import type { SpanOutbox } from "../span-outbox.ts";
import { relayedUpgrade } from "../upgrade-offers.ts";
import { handedConnection } from "./handed-connection.ts";
import { type GateSettings, HandoffGate } from "./handoff-gate.ts";
import { HandoffIntake } from "./handoff-intake.ts";
import { HealthRelay } from "./health-relay.ts";
import { openPeerIntake } from "./peer-intake.ts";
import { RequestLines } from "./request-lines.ts";
import { ServerSpans } from "./server-spans.ts";

const nothing = Buffer.alloc(0);

export interface HandoffServingOptions {
  readonly facts: WorkerFacts;
  readonly server: Server;
  readonly gate: GateSettings;
  /** Takes those of sampled requests; undefined: none are made. */
  readonly spans: SpanOutbox | undefined;
  readonly clock: Clock;
}

/** Serves the connections that the primary hands to this process, until it closes; from then on they go back. */
export async function openHandoffIntake({ facts, server, gate, spans, clock }: HandoffServingOptions): Promise<Intake> {
  const { slot, endpointId, intakePath } = facts;
  const peers = await openPeerIntake(intakePath, server, clock);
  const health =
    gate.healthPath === undefined
      ? undefined
      : new HealthRelay({ path: gate.healthPath, clock, ask: (id, check) => connections.askHealth(id, check) });
  const keeper: HandoffGate = new HandoffGate({
    ...gate,
    server,
    clock,
    slot,
    incarnation: Number(endpointId.split(".")[1]),
    intakePath,
    peers: clusterRoster,
    lingering: lingeringPeers,
    relayed: (connection) => connections.relayed(connection),
    tunnelled: (request, socket) => void server.emit(relayedUpgrade, request, socket, nothing),
    health,
  });
  const connections = new HandoffIntake({
    server,
    channel: process,
    clock,
    lines:
      gate.lines &&
      new RequestLines({
        settings: gate.lines,
        instance: slot + 1,
        clock,
        wallClock: systemWallClock,
        random: systemRandom,
      }),
    spans: spans && new ServerSpans({ redact: gate.redact, instance: slot + 1, outbox: spans }),
    healthAnswered: (id, answer) => health?.answered(id, answer),
    equipped: (secure) => keeper.guardNames((serverName, host) => secure.isFor(serverName, host)),
    begun: (request, connection, response) => keeper.clean(request, connection, response),
  });
  const receive = contained(
    "a message about connections",
    (raw: unknown, handle: unknown) => void connections.receive(raw, handle),
    (_raw, handle) => {
      if (handle instanceof Socket) handle.destroy();
    },
  );
  process.on(internalEvent as "message", receive);
  let staying = false;
  const canMove = () => !staying && process.connected && connections.canReturn;
  const isHanded = (socket: Duplex) => socket instanceof Socket && handedConnection(socket) !== undefined;
  const isSecure = (socket: Duplex) => handedConnection(socket)?.secure !== undefined;
  return {
    stay() {
      staying = true;
      connections.keepAll();
    },
    stays: (socket) => staying && isHanded(socket),
    movesAway: (socket) => isHanded(socket) && !isSecure(socket) && canMove(),
    get arriving() {
      return connections.arriving;
    },
    destroyArriving: () => connections.destroyArriving(),
    close() {
      peers.close();
      if (canMove()) connections.returnAll();
    },
    end() {
      // For as long as the app takes to end, the primary may send requests of sessions that lived here.
      process.on(internalEvent as "message", turnAway);
      process.off(internalEvent as "message", receive);
      connections.stop();
    },
  };
}

/** Nobody would ever answer on it: the client is to know now. */
function turnAway(_message: unknown, handle: unknown): void {
  if (handle instanceof Socket) handle.destroy();
}
