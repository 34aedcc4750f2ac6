import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { ConnectionOrigin } from "../../ipc/handoff-messages.ts";

/** Undefined: the socket tells all there is to know. */
export function originOf({ listener = 0, peerAddress, peerPort }: ForwardingFacts): ConnectionOrigin | undefined {
  const isUnix = peerAddress === "";
  if (listener === 0 && peerPort === undefined && !isUnix) return undefined;
  if (peerPort === undefined) return { listener, isUnix };
  return { listener, isUnix, client: { address: peerAddress, port: peerPort } };
}
