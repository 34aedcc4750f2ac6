import type { OutgoingHttpHeaders } from "node:http";
import type { UrlEndpoint } from "@lb/core";
import { authorityOf } from "./upstreams.ts";

/** What goes to an endpoint, whichever it is. */
export interface UpstreamRequest {
  readonly method: string;
  /** Without an endpoint's base path. */
  readonly path: string;
  /** What of the path was put before what the client asked for. */
  readonly prefix: string;
  /** By lower-case name, without those about a connection and Transfer-Encoding. */
  readonly headers: OutgoingHttpHeaders;
}

/** The request as one endpoint gets it: under its base path, and if `changeOrigin` with its own host in Host. */
export function addressedTo(endpoint: UrlEndpoint, request: UpstreamRequest, changeOrigin: boolean): UpstreamRequest {
  const { basePath, address } = endpoint;
  const based = basePath === "" || request.path === "*" ? request : { ...request, path: basePath + request.path };
  if (!changeOrigin) return based;
  const host = address.kind === "unix" ? "localhost" : authorityOf(endpoint);
  return { ...based, headers: { ...based.headers, host } };
}
