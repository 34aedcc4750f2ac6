import type { Duplex } from "node:stream";
import type { Clock } from "@lb/core";
import { FrameReader } from "./frame-reader.ts";
import { tell } from "./user-function.ts";
import type { WebSocketHooks, WebSocketMessage } from "./web-socket-options.ts";

export interface WebSocketWatchOptions {
  readonly hooks: WebSocketHooks;
  readonly request: unknown;
  readonly target: string;
  readonly client: Duplex;
  readonly upstream: Duplex;
  readonly clock: Clock;
}

/** Has the app's functions told of one WebSocket that is open now. */
export function watchWebSocket({ hooks, request, target, client, upstream, clock }: WebSocketWatchOptions): void {
  const { onOpen, onMessage, onClose } = hooks;
  const beganAtMs = clock.now();
  let end = { code: 1006, reason: "" };
  let isEnding = false;
  const readerOf = (from: WebSocketMessage["from"]) =>
    new FrameReader({
      message: (message) => tell(() => onMessage?.({ from, ...message }, request)),
      closed: (code, reason) => {
        // The other side's is its answer.
        if (!isEnding) end = { code, reason };
        isEnding = true;
      },
    });
  if (onMessage !== undefined || onClose !== undefined) {
    const [ofClient, ofTarget] = [readerOf("client"), readerOf("target")];
    client.on("data", (bytes: Buffer) => ofClient.read(bytes));
    upstream.on("data", (bytes: Buffer) => ofTarget.read(bytes));
  }
  if (onClose !== undefined) {
    client.once("close", () => tell(() => onClose({ ...end, durationMs: clock.now() - beganAtMs }, request)));
  }
  tell(() => onOpen?.(target, request));
}
