import type { Socket } from "socket.io-client";
import type { Asking } from "./answer.ts";

/** Each with a connection of its own; disconnected when the test is over. */
export async function openSocketIo(
  { base, headers, jar, signal, timeoutMs }: Omit<Asking, "dispatcher"> & { readonly base: URL },
  options: Readonly<Record<string, unknown>>,
): Promise<Socket> {
  const { io } = await import("socket.io-client").catch(() => {
    throw Object.assign(
      new Error("Socket.IO clients need the package socket.io-client (npm install socket.io-client)."),
      {
        code: "NO_SOCKET_IO_CLIENT",
      },
    );
  });
  const cookie = jar.getCookieStringSync(base.href);
  const socket = io(base.origin, {
    forceNew: true,
    reconnection: false,
    timeout: timeoutMs,
    extraHeaders: { ...headers, ...(cookie !== "" && { cookie }) },
    ...options,
  });
  const end = () => socket.disconnect();
  signal.addEventListener("abort", end, { once: true });
  socket.on("disconnect", () => signal.removeEventListener("abort", end));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
    signal.addEventListener("abort", () => reject(new Error("the test is over")), { once: true });
  });
  return socket;
}
