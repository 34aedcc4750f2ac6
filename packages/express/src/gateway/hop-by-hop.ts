/** Fields that concern one connection alone (RFC 9110 §7.6.1) or an intermediary of the past, with or without nomination. */
const ending = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Fields that nobody may make hop-by-hop: without them the message would be another one, or go elsewhere. */
const protectedFields = new Set(["host", "content-length", "transfer-encoding", "expect"]);

const none: ReadonlySet<string> = new Set();

/** @param name in lower case */
export function endsHere(name: string): boolean {
  return ending.has(name);
}

/**
 * The fields that a Connection value nominates, in lower case; undefined if it nominates one that may not be, or is no
 * list of tokens.
 */
export function nominatedBy(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return none;
  const nominated = new Set<string>();
  for (const element of connection.split(",")) {
    const name = element.trim().toLowerCase();
    if (name === "" || name === "close" || name === "keep-alive" || name === "upgrade") continue;
    if (protectedFields.has(name) || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return undefined;
    nominated.add(name);
  }
  return nominated;
}
