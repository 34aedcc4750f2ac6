import { type Agent, request } from "node:http";
import { request as requestSecurely } from "node:https";
import type { Socket } from "node:net";
import { isByGateway } from "../../packages/core/test/support/http2-gateway.ts";
import type { Entry, Kind, Outcome } from "./entry.ts";
import { now } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Place } from "./place.ts";

/** Longer than all that the cluster may make a request wait, retries included. */
const deadlineMs = 15_000;

export interface Asked {
  readonly kind: Kind;
  readonly path: string;
  readonly method?: string;
  readonly parts?: readonly Buffer[];
  /** Connections that are kept; without one the request has a connection of its own. */
  readonly agent?: Agent;
  /** What the whole answer must be. */
  readonly expected: (id: string) => string;
  /** The client leaves after this time, in the middle of the answer; what it got until then must be its beginning. */
  readonly forMs?: number;
}

/** Whose answer was the last one on a connection. */
const lastAnswers = new WeakMap<Socket, number>();

/** Sends one request with an id of its own, and enters in the ledger what came of it. */
export async function ask(ledger: Ledger, place: Place, asked: Asked): Promise<Entry> {
  const id = ledger.id();
  const from = now();
  const { refused, ...seen } = await send(place, id, asked);
  const entry: Entry = { id, kind: asked.kind, from, to: now(), ...seen };
  if (!(refused && ledger.closing)) ledger.enter(entry);
  return entry;
}

interface Seen extends Pick<Entry, "outcome" | "answeredBy" | "keptBy"> {
  /** There was no connection to send it on. */
  readonly refused: boolean;
}

function send({ port, secure }: Place, id: string, asked: Asked): Promise<Seen> {
  const { path, method = "GET", parts = [], agent, expected, forMs = deadlineMs } = asked;
  return new Promise((resolve) => {
    const sent = (secure ? requestSecurely : request)({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      method,
      path: `${path}${path.includes("?") ? "&" : "?"}id=${id}`,
      agent: agent ?? false,
    });
    let answeredBy: number | undefined;
    let keptBy: number | undefined;
    let text = "";
    const settle = (outcome: Outcome, refused = false) => {
      clearTimeout(deadline);
      resolve({ outcome, answeredBy, keptBy, refused });
      if (outcome.kind !== "answered" || forMs !== deadlineMs) sent.destroy();
    };
    const deadline = setTimeout(() => {
      if (forMs === deadlineMs || answeredBy === undefined) settle({ kind: "hung", detail: `no end in ${forMs} ms` });
      else if (!expected(id).startsWith(text)) settle({ kind: "wrong", detail: JSON.stringify(text.slice(-100)) });
      else settle({ kind: "answered", status: 200 });
    }, forMs);
    const failed = (error: NodeJS.ErrnoException) => {
      const detail = `${error.code ?? error.message}${sent.reusedSocket ? " (reused)" : ""}`;
      settle({ kind: "cut", detail }, error.code === "ECONNREFUSED");
    };
    sent.on("error", failed);
    sent.on("socket", (socket) => {
      keptBy = lastAnswers.get(socket);
    });
    sent.on("response", (response) => {
      const { statusCode: status = 0, headers, socket } = response;
      if (isByGateway({ status, headers })) {
        settle({ kind: "cut", detail: `a gateway's ${status}` }, true);
        return;
      }
      if (status === 200) {
        answeredBy = Number(headers["x-pid"]);
        lastAnswers.set(socket, answeredBy);
      }
      response.setEncoding("latin1");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", failed);
      response.on("end", () => {
        if (status === 200 && text !== expected(id)) {
          settle({ kind: "wrong", detail: `looks complete and is not: ${JSON.stringify(text.slice(-100))}` });
        } else settle({ kind: "answered", status });
      });
    });
    void write(parts, sent);
  });
}

/** A body of several parts is sent slowly, so that things happen in the middle of it. */
async function write(parts: readonly Buffer[], sent: ReturnType<typeof request>): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 0) sent.setHeader("content-length", length);
  for (const [index, part] of parts.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 30));
    if (sent.destroyed) return;
    sent.write(part);
  }
  sent.end();
}
