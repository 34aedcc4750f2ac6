import { edgeCertificate } from "../../packages/core/test/support/edge.ts";
import { overHttp2 } from "../../packages/core/test/support/http2-gateway.ts";

/** `tls`: clients speak HTTP/1.1 on the port with TLS. `h2`: a gateway speaks HTTP/2 there for them. */
export const edges = ["plain", "tls", "h2"] as const;
export type Edge = (typeof edges)[number];

/** Where clients find the cluster. */
export interface Place {
  readonly port: number;
  /** It has TLS. */
  readonly secure: boolean;
  close(): Promise<void>;
}

/** What the cluster has to have for it. */
export function edgeOptions(edge: Edge): object {
  return edge === "plain" ? {} : { https: { port: 0, certificates: [edgeCertificate()] } };
}

export async function placeOf(
  edge: Edge,
  ports: { readonly port: number; readonly httpsPort: number },
): Promise<Place> {
  switch (edge) {
    case "plain":
      return { port: ports.port, secure: false, close: async () => {} };
    case "tls":
      return { port: ports.httpsPort, secure: true, close: async () => {} };
    case "h2":
      return { ...(await overHttp2(ports.httpsPort)), secure: false };
  }
}
