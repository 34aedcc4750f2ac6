import type { Rejection } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

export function checkWebSocketRequest(_head: RequestHead): Rejection | undefined {
  throw new Error("being written");
}

export function acceptsWebSocket(_requestKey: string, _response: ResponseHead): boolean {
  throw new Error("being written");
}
