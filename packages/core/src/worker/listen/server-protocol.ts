import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import { runApp } from "../agent-faults.ts";

/**
 * What a server of the app's makes of a connection:
 * - `http`: HTTP/1.1;
 * - `https`: TLS, then HTTP/1.1; `http2-tls`: TLS, then HTTP/2 or, since the program allows it, HTTP/1.1;
 * - `http2`: HTTP/2 alone, in the clear or over TLS, which the front does not speak to its workers;
 * - `other`: bytes.
 */
export type Protocol = "http" | "https" | "http2-tls" | "http2" | "other";

let http: typeof import("node:http") | undefined;
let https: typeof import("node:https") | undefined;

/**
 * HTTP/2 is known by its name: loading `node:http2` to compare costs every app 2 MB. The others are loaded where there is a
 * server to compare, and not by each process or thread that only could have one.
 */
export function protocolOf(server: Server): Protocol {
  http ??= process.getBuiltinModule("node:http");
  if (server instanceof http.Server) return "http";
  https ??= process.getBuiltinModule("node:https");
  if (server instanceof https.Server) return "https";
  switch (server.constructor?.name) {
    case "Http2Server":
      return "http2";
    case "Http2SecureServer":
      // Node sets it where `allowHTTP1` is given, and only there.
      return typeof (server as { headersTimeout?: unknown }).headersTimeout === "number" ? "http2-tls" : "http2";
    default:
      return "other";
  }
}

/** The servers that can be given a connection which speaks HTTP/1.1 in the clear. */
export function takesHttp1(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "https" || protocol === "http2-tls";
}

/** The event at which a server begins to read HTTP on a connection. TLS servers have taken TLS off by then. */
export function connectionEvent(server: Server): "connection" | "secureConnection" {
  const protocol = protocolOf(server);
  return protocol === "https" || protocol === "http2-tls" ? "secureConnection" : "connection";
}

/** Gives the server a connection as if it had accepted it, and taken off TLS where it does that. */
export function giveConnection(server: Server, connection: Duplex): void {
  const event = connectionEvent(server);
  // How an HTTP/2 server tells what was negotiated.
  if (event === "secureConnection") Object.assign(connection, { alpnProtocol: "http/1.1" });
  runApp(() => server.emit(event, connection));
}
