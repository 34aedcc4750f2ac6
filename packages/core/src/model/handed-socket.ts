import type { ListenerAddress } from "./listener-address.ts";

/** A listening socket that another process has opened, and that is this one's to accept from, too. */
export interface HandedSocket {
  readonly fd: number;
  readonly address: ListenerAddress;
}
