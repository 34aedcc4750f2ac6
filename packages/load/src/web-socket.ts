import type { Clock } from "@lb/core";
import { type Dispatcher, WebSocket } from "undici";
import type { Asking } from "./answer.ts";

/** A WebSocket as a scenario has it: messages come in order, and each is awaited. */
export interface TestWebSocket {
  send(message: string | Uint8Array): void;
  /** The next message that nobody has had. Rejects when the socket has closed before it came. */
  next(): Promise<string | Buffer>;
  close(): void;
}

/** So many messages wait for a scenario that does not ask for them; the oldest go. */
const maxWaiting = 1_000;

export async function openWebSocket(
  url: URL,
  { dispatcher, headers, jar, signal, timeoutMs, clock }: Asking & { readonly clock: Clock },
): Promise<TestWebSocket> {
  const cookie = jar.getCookieStringSync(url.href);
  const place = new URL(url);
  place.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(place, {
    dispatcher: dispatcher as Dispatcher,
    headers: { ...headers, ...(cookie !== "" && { cookie }) },
  });
  socket.binaryType = "arraybuffer";
  const messages: (string | Buffer)[] = [];
  const awaited: { readonly got: (message: string | Buffer) => void; readonly failed: (error: Error) => void }[] = [];
  const closed = () => Object.assign(new Error("The WebSocket is closed."), { code: "WS_CLOSED" });
  socket.addEventListener("message", ({ data }) => {
    const message = typeof data === "string" ? data : Buffer.from(data as ArrayBuffer);
    const waiting = awaited.shift();
    if (waiting !== undefined) waiting.got(message);
    else if (messages.push(message) > maxWaiting) messages.shift();
  });
  socket.addEventListener("close", () => {
    for (const { failed } of awaited.splice(0)) failed(closed());
  });
  const end = () => socket.close();
  signal.addEventListener("abort", end, { once: true });
  socket.addEventListener("close", () => signal.removeEventListener("abort", end));
  await new Promise<void>((resolve, reject) => {
    const late = clock.after(timeoutMs, () => {
      socket.close();
      reject(Object.assign(new Error("It was not opened in time."), { code: "WS_TIMEOUT" }));
    });
    socket.addEventListener("open", () => {
      late.cancel();
      resolve();
    });
    socket.addEventListener("error", () => {
      late.cancel();
      reject(Object.assign(new Error("It could not be opened."), { code: "WS_REFUSED" }));
    });
  });
  return {
    send: (message) => socket.send(message as string),
    next() {
      const message = messages.shift();
      if (message !== undefined) return Promise.resolve(message);
      if (socket.readyState >= WebSocket.CLOSING) return Promise.reject(closed());
      return new Promise((got, failed) => awaited.push({ got, failed }));
    },
    close: end,
  };
}
