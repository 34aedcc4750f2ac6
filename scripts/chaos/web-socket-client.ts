import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { isByGateway } from "../../packages/core/test/support/http2-gateway.ts";
import type { Entry } from "./entry.ts";
import { now } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Place } from "./place.ts";

const silentMs = 15_000;
const thinkMs = 150;

/** One WebSocket: says numbers and hears them again, in order, until it is closed or `forMs` is over. */
export async function converse(ledger: Ledger, { port, secure }: Place, forMs: number): Promise<void> {
  const id = ledger.id();
  const from = now();
  let answeredBy: number | undefined;
  let refused = false;
  const outcome = await new Promise<Entry["outcome"]>((resolve) => {
    const socket = new WebSocket(`${secure ? "wss" : "ws"}://127.0.0.1:${port}/socket?id=${id}`, {
      rejectUnauthorized: false,
    });
    let heard = 0;
    let leaving = false;
    let broken = "";
    const hung = setTimeout(() => {
      resolve({ kind: "hung", detail: `silent for ${silentMs} ms after ${heard} messages` });
      socket.terminate();
    }, silentMs);
    socket.on("unexpected-response", (_, { statusCode: status = 0, headers }) => {
      refused = isByGateway({ status, headers });
      resolve(refused ? { kind: "cut", detail: `a gateway's ${status}` } : { kind: "answered", status });
      socket.terminate();
    });
    socket.on("upgrade", ({ headers }) => {
      answeredBy = Number(headers["x-pid"]);
    });
    socket.on("open", () => socket.send("0"));
    socket.on("message", async (message) => {
      hung.refresh();
      if (Number(String(message)) !== heard) {
        resolve({ kind: "wrong", detail: `heard ${String(message).slice(0, 50)} for ${heard}` });
        socket.terminate();
      }
      heard += 1;
      await pause(thinkMs);
      if (socket.readyState !== WebSocket.OPEN) return;
      leaving = now() - from > forMs && !ledger.closing;
      if (leaving) socket.close(1000);
      else socket.send(String(heard));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      refused = error.code === "ECONNREFUSED";
      broken = error.code ?? error.message;
    });
    socket.on("close", (code) => {
      clearTimeout(hung);
      if (leaving && code === 1000) resolve({ kind: "answered", status: 200 });
      else if (code === 1006) resolve({ kind: "cut", detail: broken || "1006" });
      else resolve({ kind: "closed", code });
    });
  });
  if (!(refused && ledger.closing)) ledger.enter({ id, kind: "websocket", from, to: now(), outcome, answeredBy });
}
