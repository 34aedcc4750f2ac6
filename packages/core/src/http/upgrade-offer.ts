import { isToken, listElements } from "./octets.ts";

/**
 * The protocol that the client may switch to: `websocket` wherever it is offered, else a protocol offered alone. HTTP
 * and TLS are not tunnelled: `h2c` behind a proxy would carry requests past it. An offer that is not accepted is
 * ignored, as RFC 9110 §7.8 allows: the request is relayed as an ordinary one.
 */
export function acceptedProtocol(value: string): string | undefined {
  const protocols = listElements(value.toLowerCase());
  if (!protocols.every(isProtocol)) return undefined;
  if (protocols.includes("websocket")) return "websocket";
  const [protocol] = protocols;
  if (protocols.length !== 1 || protocol === undefined || /^(h2c?|h3|https?|tls)(\/|$)/.test(protocol))
    return undefined;
  return protocol;
}

/** `name ["/" version]`, both tokens. */
function isProtocol(element: string): boolean {
  const slash = element.indexOf("/");
  return slash === -1 ? isToken(element) : isToken(element.slice(0, slash)) && isToken(element.slice(slash + 1));
}
