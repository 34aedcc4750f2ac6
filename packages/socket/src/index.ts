import { currentInstance } from "@lb/core";

/** A Socket.IO server or namespace, as far as it is needed here. */
export interface ConnectionSource {
  on(event: "connection", listener: (socket: { readonly data: Record<string, unknown> }) => void): unknown;
}

/**
 * Notes on every Socket.IO connection which instance of the cluster serves it, as `socket.data.instance` (its number,
 * from 1). Does nothing in a process that is not an instance.
 */
export function noteInstance(io: ConnectionSource): void {
  const instance = currentInstance();
  if (instance === undefined) return;
  io.on("connection", (socket) => {
    socket.data["instance"] = instance.id;
  });
}
export { createIpcAdapter } from "./ipc-adapter/create-ipc-adapter.ts";
export type { IpcAdapterOptions } from "./ipc-adapter/ipc-adapter-options.ts";
