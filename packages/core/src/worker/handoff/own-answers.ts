import type { ServerResponse } from "node:http";
import type { AnswerReason } from "../../http/answer-reason.ts";
import { noteOurs } from "./response-fields.ts";

/** Responses that are none of this instance's app: their status says nothing of the instance. */
const others = new WeakMap<ServerResponse, AnswerReason | "another">();

/** We answer in place of the app. */
export function noteOwnAnswer(response: ServerResponse, reason: AnswerReason): void {
  others.set(response, reason);
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
  return reasonOf(response) === undefined ? "app" : "front";
}

/** Why we have answered. Undefined: we have not. */
export function reasonOf(response: ServerResponse): AnswerReason | undefined {
  const other = others.get(response);
  return other === "another" ? undefined : other;
}

/** Answers for ourselves, as the last on the connection; what was begun breaks off. */
export function answerOurselves(response: ServerResponse, status: number, reason: AnswerReason): void {
  noteOwnAnswer(response, reason);
  noteOurs(response);
  if (response.headersSent) response.destroy();
  else if (!response.destroyed) {
    const fields = { Connection: "close", "Content-Length": 0, ...(status === 503 && { "Retry-After": 1 }) };
    response.writeHead(status, fields).end();
  }
}
