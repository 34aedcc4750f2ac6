import { isToken, listElements } from "./octets.ts";
import type { MessageFault } from "./rejection.ts";

/** What the Connection lines of one head say. */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** Lower-case names of nominated fields, but for those that are stripped anyway; undefined if there is none. */
  nominated: string[] | undefined;
}

/** Fields that nobody may make hop-by-hop: stripping them would change what the message is or where it goes. */
const protectedFields = new Set(["host", "content-length", "transfer-encoding", "expect"]);

/** Options without a field of their own, and fields that end here whether nominated or not. */
const nominatedAnyway = new Set(["te", "trailer", "http2-settings", "proxy-connection", "proxy-authorization"]);

/** Adds what one Connection line says to `options`. */
export function readConnectionOptions(value: string, options: ConnectionOptions): MessageFault | undefined {
  // The two that nearly every message sends, without taking the list apart.
  if (value === "keep-alive") {
    options.keepAlive = true;
    return undefined;
  }
  if (value === "close") {
    options.close = true;
    return undefined;
  }
  for (const element of listElements(value)) {
    const option = element.toLowerCase();
    if (option === "keep-alive") options.keepAlive = true;
    else if (option === "close") options.close = true;
    else if (option === "upgrade") options.upgrade = true;
    else if (!isToken(option)) return "connection";
    else if (protectedFields.has(option)) return "connection-nominates";
    else if (!nominatedAnyway.has(option)) {
      options.nominated ??= [];
      options.nominated.push(option);
    }
  }
  return undefined;
}

/** The lower-case names that a Connection value nominates; undefined: it is no list, or nominates what may not be. */
export function nominatedBy(connection: string | undefined): readonly string[] | undefined {
  if (connection === undefined) return noNames;
  const options: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: undefined };
  return readConnectionOptions(connection, options) === undefined ? (options.nominated ?? noNames) : undefined;
}

const noNames: readonly string[] = Object.freeze([]);

/** Adds what an obsolete Proxy-Connection line says: no more than that the sender will close. */
export function readProxyConnection(value: string, options: ConnectionOptions): void {
  options.close ||= listElements(value.toLowerCase()).includes("close");
}
