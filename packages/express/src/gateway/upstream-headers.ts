import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { normaliseAddress } from "@lb/core";
import { acceptsTrailers, forwardingFields, isAuthority, nominatedBy, wayOf } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { hostAsked } from "./client-message.ts";
import type { ParsedHeaderRules } from "./header-options.ts";
import { ruled } from "./header-rules.ts";

export interface UpstreamHeaderOptions {
  readonly rules: ParsedHeaderRules;
  /** What targets get to see of the Cookie header; `""`: nothing. */
  readonly withoutCookie: (header: string) => string;
}

/**
 * The header fields that a target gets, by lower-case name. Those that end here are gone; X-Forwarded-For, -Proto, -Host,
 * -Port and X-Real-IP are ours, unless the framework trusts the peer to have set them: then they stay, and its address
 * is appended to X-Forwarded-For. Forwarded, Proxy and aliases with underscores are dropped in any case, and so are other
 * X-Forwarded-* of a peer that is not trusted.
 *
 * @throws GatewayError `LB_REQUEST_INVALID` when Connection nominates a field that has to go on, or the host is none;
 * `LB_RULE` for a rule that cannot be applied, with which a promise rejects too
 */
export function upstreamHeaders(
  call: Call,
  { rules, withoutCookie }: UpstreamHeaderOptions,
): OutgoingHttpHeaders | PromiseLike<OutgoingHttpHeaders> {
  const { request } = call;
  const received = request.headers;
  const nominated = nominatedBy(received.connection);
  if (nominated === undefined) {
    throw new GatewayError("LB_REQUEST_INVALID", "Connection nominates a field that no intermediary may remove");
  }
  // Without a prototype, "__proto__" is a name like any other.
  const headers: OutgoingHttpHeaders = Object.create(null);
  const trusted = call.peerTrusted;
  for (const name of Object.keys(received)) {
    const way = wayOf(name);
    if (way !== "passes" && !(way === "if-trusted" && trusted)) continue;
    // What HTTP/2 has in place of a request line.
    if (name.startsWith(":")) continue;
    if (nominated.includes(name)) continue;
    headers[name] = received[name];
  }
  if (headers["cookie"] !== undefined) {
    const cookie = withoutCookie(headers["cookie"] as string);
    if (cookie === "") delete headers["cookie"];
    else headers["cookie"] = cookie;
  }
  const te = received["te"];
  if (typeof te === "string" && acceptsTrailers(te)) headers["te"] = "trailers";
  const host = hostAsked(request);
  if (host !== undefined) headers["host"] = checkedHost(host);
  addForwarding(headers, request);
  return typeof rules !== "function" && rules.length === 0 ? headers : ruled(headers, rules, call.frameworkRequest);
}

/** What is there of them was sent by a peer that is trusted. */
function addForwarding(headers: OutgoingHttpHeaders, { socket }: IncomingMessage): void {
  const connection = {
    peerAddress: normaliseAddress(socket.remoteAddress ?? ""),
    encrypted: "encrypted" in socket && socket.encrypted === true,
    localPort: socket.localPort ?? 0,
  };
  const said = {
    // Node joins those of several lines.
    chain: headers["x-forwarded-for"] as string | undefined,
    proto: headers["x-forwarded-proto"] !== undefined,
    host: headers["x-forwarded-host"] !== undefined,
    // A Unix socket has none of its own.
    port: headers["x-forwarded-port"] !== undefined || socket.localPort === undefined,
    realIp: headers["x-real-ip"] !== undefined,
  };
  const fields = forwardingFields(connection, said, String(headers["host"] ?? ""));
  for (let index = 0; index < fields.length; index += 2) headers[fields[index]!.toLowerCase()] = fields[index + 1];
}

/**
 * RFC 9112 §3.2: a Host that is no host is refused, and user information in one is (RFC 9110 §4.2.4). Node takes anything,
 * and would have it in X-Forwarded-Host.
 */
function checkedHost(host: string): string {
  if (host === "" || isAuthority(host)) return host;
  throw new GatewayError("LB_REQUEST_INVALID", "The host is not a name or an address, with a port or without");
}
