import type { IncomingMessage } from "node:http";
import { absoluteForm } from "../../http/absolute-form.ts";
import { isAuthority } from "../../http/authority.ts";
import { isWithheld } from "../../http/named-fields.ts";
import type { HandshakeFacts } from "../../tls/handshakes.ts";

/** Of the shortest name that is withheld and begins so. */
const clientCertLength = "client-cert".length;
const slash = 0x2f;
const c = 0x63;
const f = 0x66;
const h = 0x68;
const k = 0x6b;
const p = 0x70;
const x = 0x78;

export interface FieldRemoval {
  /** The connection's peer is a proxy of ours: what it says of its clients is kept. */
  readonly trusted: boolean;
  /** The client was asked for a certificate: whoever says something of one says nothing that counts. */
  readonly asksClients?: boolean;
  /** A Cookie field's value without the cookie that is ours. */
  readonly stripCookie?: ((value: string) => string) | undefined;
}

/**
 * Takes out what the app must not see, as the relay of proxy mode does: forwarding fields that nobody of ours wrote,
 * fields that are for proxies, and the cookie that is ours. Hot path: a look at the first letters of the names, and no
 * allocation where there is nothing to do.
 */
export function removeFields(request: IncomingMessage, removal: FieldRemoval): void {
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    switch (name.charCodeAt(0) | 0x20) {
      case x:
      case f:
      case k:
      case p:
      case h:
        if (!isWithheld(name, removal)) continue;
        break;
      case c:
        if (name.length < clientCertLength) {
          if (removal.stripCookie === undefined || name.length !== 6 || name.toLowerCase() !== "cookie") continue;
        } else if (!isWithheld(name, removal)) continue;
        break;
      default:
        continue;
    }
    rewrite(request, removal);
    return;
  }
}

function rewrite(request: IncomingMessage, removal: FieldRemoval): void {
  const { rawHeaders, headers, headersDistinct } = request;
  const { stripCookie } = removal;
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    let value = rawHeaders[index + 1]!;
    if (isWithheld(name, removal)) continue;
    if (stripCookie !== undefined && name.toLowerCase() === "cookie") {
      value = stripCookie(value);
      if (value === "") continue;
    }
    kept.push(name, value);
  }
  for (const name of Object.keys(headers)) {
    if (isWithheld(name, removal) || name === "cookie") {
      delete headers[name];
      delete headersDistinct[name];
    }
  }
  const cookies = kept.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === "cookie" ? kept[index + 1]! : [],
  );
  if (cookies.length > 0) {
    headers.cookie = cookies.join("; ");
    headersDistinct["cookie"] = cookies;
  }
  rawHeaders.splice(0, rawHeaders.length, ...kept);
}

/** Adds what the app is told of a connection with TLS: that it is one, where no proxy of ours said so, and whose it is. */
export function tellSecure(request: IncomingMessage, { clientFields = [] }: HandshakeFacts): void {
  if (request.headers["x-forwarded-proto"] === undefined) add(request, "X-Forwarded-Proto", "https");
  for (let at = 0; at + 1 < clientFields.length; at += 2) add(request, clientFields[at]!, clientFields[at + 1]!);
}

function add({ rawHeaders, headers, headersDistinct }: IncomingMessage, name: string, value: string): void {
  rawHeaders.push(name, value);
  headers[name.toLowerCase()] = value;
  headersDistinct[name.toLowerCase()] = [value];
}

/**
 * Makes of a target in absolute form what the relay of proxy mode does: the path alone, and a Host of what it named
 * (RFC 9112 §3.2.2: the target wins). An app, and everybody before it who decides by the host, then sees one truth. False:
 * it names no host that could be one. Hot path: one comparison.
 */
export function normaliseTarget(request: IncomingMessage): boolean {
  const { url = "/" } = request;
  if (url.charCodeAt(0) === slash) return true;
  const absolute = absoluteForm(url);
  if (absolute === undefined) return url === "*";
  const { authority, path } = absolute;
  if (!isAuthority(authority)) return false;
  request.url = path === "" ? (request.method === "OPTIONS" ? "*" : "/") : path;
  const { rawHeaders, headers, headersDistinct } = request;
  const others: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== "host") others.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  headers.host = authority;
  headersDistinct["host"] = [authority];
  rawHeaders.splice(0, rawHeaders.length, "Host", authority, ...others);
  return true;
}
