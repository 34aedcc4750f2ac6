import { publicUrl } from "../control/public-url.ts";
import type { ClusterStatus, HttpsStatus } from "../control/status.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import { mainListener, type OpenListener } from "./public-listeners.ts";

/** Where a cluster is found, as its status says it. */
export interface Listening extends Pick<ClusterStatus, "host" | "port" | "url" | "listeners"> {
  readonly https: Pick<HttpsStatus, "port" | "url"> | undefined;
}

/** Not yet. */
export const notListening: Listening = { host: "", port: 0, url: "", listeners: [], https: undefined };

export function listeningOn(listeners: readonly OpenListener[]): Listening {
  const { address, encrypted } = mainListener(listeners);
  const secure = listeners.filter((one) => one.encrypted);
  const https = secure.find((one) => one.address.kind === "tcp") ?? secure[0];
  return {
    host: address.kind === "tcp" ? address.host : "",
    port: portOf(address),
    url: publicUrl(address, encrypted),
    listeners: listeners.map((one) => ({
      url: publicUrl(one.address, one.encrypted),
      https: one.encrypted,
      proxyProtocol: one.proxied,
    })),
    https: https && { port: portOf(https.address), url: publicUrl(https.address, true) },
  };
}

function portOf(address: ListenerAddress): number {
  return address.kind === "tcp" ? address.port : 0;
}
