import type { ServerResponse } from "node:http";
import { noteOurs } from "./response-fields.ts";

const own = new WeakSet<ServerResponse>();

/** The response is none of this instance's app: its status says nothing of the instance. */
export function noteOwnAnswer(response: ServerResponse): void {
  own.add(response);
}

export function isOwnAnswer(response: ServerResponse): boolean {
  return own.has(response);
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
