import { setTimeout as pause } from "node:timers/promises";
import { Manager, type Socket } from "socket.io-client";
import type { Kind, Outcome } from "./entry.ts";
import { now } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import { SaidMessages } from "./messages.ts";
import type { Place } from "./place.ts";

const thinkMs = 250;
const answerMs = 15_000;

interface Talk {
  readonly ledger: Ledger;
  readonly place: Place;
  readonly transport: "polling" | "websocket";
  readonly user: string;
}

/** A Socket.IO client that says numbered messages, each to be acknowledged and to come back through its room, and connects anew when it is cut off. */
export async function talk({ ledger, place, transport, user }: Talk): Promise<void> {
  const said = new SaidMessages(user);
  ledger.said.push(said);
  const manager = new Manager(`${place.secure ? "https" : "http"}://127.0.0.1:${place.port}`, {
    rejectUnauthorized: false,
    transports: [transport],
    autoConnect: false,
    reconnection: false,
    timeout: answerMs,
  });
  const socket = manager.socket("/", { auth: { user } });
  socket.on("said", (message: number) => {
    if (!said.heard(message)) ledger.note(`${user} heard ${message} again`);
  });
  /** The last session that was opened, and attempts since then. */
  let attempts: string[] = [];
  while (!ledger.closing) {
    const hadHeard = said.heardAnything;
    const id = ledger.id();
    const from = now();
    // Read by Engine.IO when it connects.
    manager.opts.query = { id };
    attempts.push(id);
    const outcome = await session(socket, said, {
      ledger,
      opened: (recovered) => {
        ledger.note(`${user} is ${recovered ? "back" : "new"} with ${id}`);
        if (!recovered && hadHeard) said.renewed({ attempts, at: now() });
        attempts = [id];
      },
    });
    const kind: Kind = `${transport} session`;
    const refused = outcome.kind === "cut" && /ECONNREFUSED|502|503/.test(outcome.detail);
    if (!(refused && ledger.closing)) ledger.enter({ id, kind, from, to: now(), outcome });
    // What `recovered` means is told with the next session; who comes back at once may be before the old one is over.
    await pause(100);
  }
}

interface Watch {
  readonly ledger: Ledger;
  readonly opened: (recovered: boolean) => void;
}

/** From the attempt to connect to the end of what came of it. */
function session(socket: Socket, said: SaidMessages, { ledger, opened }: Watch): Promise<Outcome> {
  const manager = socket.io;
  return new Promise((resolve) => {
    const ended = (outcome: Outcome) => {
      manager.engine.off("close", closedEarly);
      socket.off("connect", connected).off("connect_error", failed).off("disconnect", disconnected);
      said.closed();
      resolve(outcome);
    };
    const connected = async () => {
      opened(socket.recovered);
      if (socket.recovered) said.recovered();
      else said.began();
      while (socket.connected) {
        const message = said.say();
        const answer = await new Promise<"acknowledged" | "not">((answered) => {
          socket
            .timeout(answerMs)
            .emit("say", message, (error: Error | null) => answered(error ? "not" : "acknowledged"));
        });
        if (answer === "acknowledged") said.acknowledged(message);
        else if (socket.connected) ledger.violated(`message ${message} waited ${answerMs} ms for its acknowledgement`);
        await pause(thinkMs);
      }
    };
    const failed = (error: Error & Cause) => ended({ kind: "cut", detail: `${error.message} ${describe(error)}` });
    // A WebSocket that closes behind its 101 and before Engine.IO's first word is no event to the manager, which would wait for its time-out.
    const closedEarly = (reason: string) => {
      ended({ kind: "cut", detail: `${reason} before the handshake` });
      socket.disconnect();
    };
    const disconnected = (reason: string, details?: unknown) =>
      ended({ kind: "cut", detail: `${reason} ${describe(details as Cause | undefined)}` });
    socket.on("connect", connected).on("connect_error", failed).on("disconnect", disconnected);
    // A server sends what was missed before it says that the session is recovered, and the client keeps it until it is told that. If the
    // instance dies in between it keeps it still, while the next one, which knows of no receipt, sends it again: that is so with any server.
    socket.receiveBuffer = [];
    socket.connect();
    manager.engine.once("close", closedEarly).once("open", () => manager.engine.off("close", closedEarly));
  });
}

/** What Engine.IO tells of a failure. */
interface Cause {
  readonly description?: unknown;
  /** Of a poll without an answer: what it came to is where its status line would be. */
  readonly context?: { readonly statusText?: { readonly code?: string } };
}

function describe({ description, context }: Cause = {}): string {
  const { message, code, error } = (description ?? {}) as { message?: string; code?: string; error?: Error };
  const said = error?.message ?? code ?? message ?? (description || context?.statusText?.code) ?? description ?? "";
  return String(said).slice(0, 200);
}
