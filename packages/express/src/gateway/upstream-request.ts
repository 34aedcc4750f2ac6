import type { OutgoingHttpHeaders } from "node:http";
import type { UrlEndpoint } from "@lb/core";
import { mayClimb } from "@lb/core/kit";
import { GatewayError } from "../errors.ts";
import { authorityOf } from "./upstreams.ts";

/** What goes to an endpoint, whichever it is. */
export interface UpstreamRequest {
  readonly method: string;
  /** Without an endpoint's base path. */
  readonly path: string;
  /** What of the path was put before what the client asked for. */
  readonly prefix: string;
  /** The path's slash is none of the client's. */
  readonly isBare: boolean;
  /** Host is the endpoint's own, whichever that is. */
  readonly changesHost: boolean;
  /** By lower-case name, without those about a connection and Transfer-Encoding. */
  readonly headers: OutgoingHttpHeaders;
}

/**
 * The request as one endpoint gets it: under its base path, and perhaps with its own host in Host.
 *
 * @throws GatewayError `LB_REQUEST_INVALID` for a path that may lead out of the base path
 */
export function addressedTo(endpoint: UrlEndpoint, request: UpstreamRequest): UpstreamRequest {
  const { basePath, address } = endpoint;
  if (basePath !== "" && mayClimb(request.path)) throw climbsOut();
  const based =
    basePath === "" || request.path === "*"
      ? request
      : { ...request, path: basePath + request.path.slice(request.isBare ? 1 : 0) };
  if (!request.changesHost) return based;
  const host = address.kind === "unix" ? "localhost" : authorityOf(endpoint);
  return { ...based, headers: { ...based.headers, host } };
}

export function climbsOut(): GatewayError {
  return new GatewayError("LB_REQUEST_INVALID", "The path may lead out of the one that it is put behind");
}
