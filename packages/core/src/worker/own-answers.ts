import type { ServerResponse } from "node:http";

const own = new WeakSet<ServerResponse>();

/** The response is ours and none of the app's: its status says nothing of this instance. */
export function noteOwnAnswer(response: ServerResponse): void {
  own.add(response);
}

export function isOwnAnswer(response: ServerResponse): boolean {
  return own.has(response);
}
