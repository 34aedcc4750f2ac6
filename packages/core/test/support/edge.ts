// The edge over which clients of the tests reach what they test: one variable decides it for all that this process runs.
import { httpGet } from "./http-get.ts";
import { isByGateway, overHttp2 } from "./http2-gateway.ts";
import { type TestCertificate, testCertificate } from "./test-certificate.ts";
import { overTls, type Way } from "./tls-relay.ts";

/** `plain`: the port without TLS. `tls`: HTTP/1.1 on the port with TLS. `h2`: HTTP/2 there, and HTTP/1.1 where it is not spoken. */
type Edge = "plain" | "tls" | "h2";

export const edge = edgeOf(process.env["LB_TEST_EDGE"] ?? "plain");

function edgeOf(name: string): Edge {
  if (name === "plain" || name === "tls" || name === "h2") return name;
  throw new Error(`LB_TEST_EDGE: "${name}" is none of plain, tls, h2`);
}

/** What apps are told of it. */
export const forwardedProto = edge === "plain" ? "http" : "https";

let certificate: TestCertificate | undefined;

/** The certificate of all that is reached over the edge here; its files go with this process. */
export function edgeCertificate(): TestCertificate {
  certificate ??= testCertificate(["DNS:a.example", "IP:127.0.0.1"], { finished: (end) => process.once("exit", end) });
  return certificate;
}

/** From clients that know nothing of TLS to a port that has it. */
export function wayOver(http2: boolean, httpsPort: number): Promise<Way> {
  return edge === "h2" && http2 ? overHttp2(httpsPort) : overTls(httpsPort);
}

/** The options of a cluster, with what the edge takes besides, unless they have that already. */
export function withEdge<Options extends object>(options: Options): Options {
  if (edge === "plain" || "https" in options || "listen" in options) return options;
  return { ...options, https: { port: 0, certificates: [edgeCertificate()] } };
}

/** A connection gets to its instance before anybody has read a request on it. */
export function isUnread(mode: "proxy" | "handoff"): boolean {
  return mode === "handoff" && edge !== "plain";
}

/** Each connection of a client is one of the front's: a gateway has few for all of its clients. */
export const connectionsAreClients = edge !== "h2";

/** Nobody takes connections: where a gateway or relay does, who stands before such a port. */
export async function refuses(port: number): Promise<boolean> {
  const [answer] = await Promise.allSettled([httpGet(`http://127.0.0.1:${port}/`)]);
  if (answer.status === "fulfilled") return isByGateway(answer.value);
  const { code } = answer.reason as { code: string };
  return code === "ECONNREFUSED" || (edge !== "plain" && code === "ECONNRESET");
}

interface Reached {
  readonly url: string;
  readonly port: number;
  readonly https: { readonly port: number; readonly http2: boolean } | null;
}

/** Where the clients of one cluster find it. */
export class EdgeOfCluster {
  #way: Promise<Way> | undefined;

  /** The status of the cluster as those see it whose way to it leads over the edge. */
  async seen<Status extends Reached>(status: Status): Promise<Status> {
    const { https } = status;
    if (edge === "plain" || https === null || https.port === 0) return status;
    this.#way ??= wayOver(https.http2, https.port);
    const { port } = await this.#way;
    return { ...status, port, url: `http://127.0.0.1:${port}` };
  }

  async close(): Promise<void> {
    await (await this.#way)?.close();
  }
}
