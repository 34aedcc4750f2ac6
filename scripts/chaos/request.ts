import { type Agent, request } from "node:http";
import type { Entry, Ledger, Outcome } from "./ledger.ts";

/** Longer than all that the cluster may make a request wait, retries included. */
const deadlineMs = 25_000;

export interface Asked {
  readonly kind: Entry["kind"];
  readonly path: string;
  readonly method?: string;
  readonly parts?: readonly Buffer[];
  /** Connections that are kept; without one the request has a connection of its own. */
  readonly agent?: Agent;
  /** What the whole answer must be. */
  readonly expected: (id: string) => string;
}

/** Sends one request with an id of its own, and enters in the ledger what came of it. */
export async function ask(ledger: Ledger, port: number, asked: Asked): Promise<Outcome> {
  const id = ledger.id();
  const from = performance.now();
  const outcome = await send(port, id, asked);
  ledger.enter({ id, kind: asked.kind, from, to: performance.now(), outcome });
  return outcome;
}

function send(
  port: number,
  id: string,
  { path, method = "GET", parts = [], agent, expected }: Asked,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path: `${path}${path.includes("?") ? "&" : "?"}id=${id}`,
      agent: agent ?? false,
    });
    const settle = (outcome: Outcome) => {
      clearTimeout(deadline);
      resolve(outcome);
    };
    const deadline = setTimeout(() => {
      settle({ kind: "hung", detail: `no end within ${deadlineMs} ms` });
      sent.destroy();
    }, deadlineMs);
    const failed = (error: NodeJS.ErrnoException) =>
      settle({ kind: "cut", detail: `${error.code ?? error.message}${sent.reusedSocket ? " (reused)" : ""}` });
    sent.on("error", failed);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", failed);
      response.on("end", () => {
        const status = response.statusCode!;
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
