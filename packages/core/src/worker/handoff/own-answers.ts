import type { ServerResponse } from "node:http";
import { noteOurs } from "./response-fields.ts";

/** Responses that are none of this instance's app: their status says nothing of the instance. */
const others = new WeakMap<ServerResponse, "front" | "another">();

/** We answer in place of the app. */
export function noteOwnAnswer(response: ServerResponse): void {
  others.set(response, "front");
}

/** Another instance answers. */
export function noteRelayedAnswer(response: ServerResponse): void {
  others.set(response, "another");
}

export function isOwnAnswer(response: ServerResponse): boolean {
  return others.has(response);
}

/** Whose answer the client gets. */
export function answererOf(response: ServerResponse): "app" | "front" {
  return others.get(response) === "front" ? "front" : "app";
}

/** Answers for ourselves, as the last on the connection; what was begun breaks off. */
export function answerOurselves(response: ServerResponse, status: number): void {
  noteOwnAnswer(response);
  noteOurs(response);
  if (response.headersSent) response.destroy();
  else if (!response.destroyed) {
    const fields = { Connection: "close", "Content-Length": 0, ...(status === 503 && { "Retry-After": 1 }) };
    response.writeHead(status, fields).end();
  }
}
