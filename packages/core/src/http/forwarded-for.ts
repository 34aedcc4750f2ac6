import { addressOfEntry } from "./address.ts";
import { listElements } from "./octets.ts";

/** The address that a request comes from, its connection being `peerAddress`'s; `""` if nobody knows. */
export function clientBehind(peerAddress: string, forwardedFor: string | undefined): string {
  // The last address in a proxy's list is the one that it saw itself; those before it are hearsay.
  const last = forwardedFor === undefined ? undefined : listElements(forwardedFor).at(-1);
  return (last === undefined ? undefined : addressOfEntry(last)) ?? peerAddress;
}

/** What is known of a client's connection to the one that forwards. */
export interface ForwardedConnection {
  /** Through {@link normaliseAddress}. `""`: a peer at a Unix socket has none. */
  readonly peerAddress: string;
  readonly encrypted: boolean;
  /** 0: a Unix socket has none. */
  readonly localPort: number;
}

/** What a peer said that is trusted to; from any other nothing is known. */
export interface ForwardedBefore {
  /** Its X-Forwarded-For, if it sent one. */
  readonly chain: string | undefined;
  readonly proto: boolean;
  readonly host: boolean;
  readonly port: boolean;
  readonly realIp: boolean;
}

/**
 * The forwarding fields that are ours to add (name, value, name, value …): the peer's address behind those that it names, and what it does not
 * say itself. `host` is that of the request, `""` if it names none.
 */
export function forwardingFields(
  { peerAddress, encrypted, localPort }: ForwardedConnection,
  { chain, proto, host: hasHost, port, realIp }: ForwardedBefore,
  host: string,
): readonly string[] {
  const chained = chain === undefined ? [] : listElements(chain);
  if (peerAddress !== "") chained.push(peerAddress);
  const fields: string[] = [];
  if (chained.length > 0) fields.push("X-Forwarded-For", chained.join(", "));
  if (!proto) fields.push("X-Forwarded-Proto", encrypted ? "https" : "http");
  if (!hasHost && host !== "") fields.push("X-Forwarded-Host", host);
  if (!port && localPort !== 0) fields.push("X-Forwarded-Port", String(localPort));
  const client = realIp ? "" : clientBehind(peerAddress, chain);
  if (client !== "") fields.push("X-Real-IP", client);
  return fields;
}
