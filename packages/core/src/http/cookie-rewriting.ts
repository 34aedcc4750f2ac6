import { type BackendPlace, clientPathOf } from "./location-rewriting.ts";
import { isUnderPath } from "./path-prefix.ts";

/** What becomes of the attributes that say where a cookie goes. */
export interface CookieRewriting {
  readonly path: (path: string) => string;
  /** As it is written, perhaps with a dot before it. Undefined: the attribute is left out, and the cookie goes to the host that gave it. */
  readonly domain: (domain: string) => string | undefined;
}

/**
 * A `Set-Cookie` value with other attributes for where the cookie goes; all else is kept byte for byte. A cookie whose name begins with
 * `__Host-` stays as it is: browsers take it for `Path=/` without a Domain only (RFC 6265bis §4.1.3.2).
 */
export function rewriteCookie(cookie: string, { path, domain }: CookieRewriting): string {
  if (/^\s*__host-/i.test(cookie)) return cookie;
  const [pair, ...attributes] = cookie.split(";");
  return [pair!, ...attributes.flatMap((attribute) => rewritten(attribute) ?? [])].join(";");

  function rewritten(attribute: string): string | undefined {
    const found = /^(\s*(path|domain)\s*=\s*)(.*?)(\s*)$/i.exec(attribute);
    if (found === null) return attribute;
    const [, before, name, value, after] = found;
    // Browsers take an empty one, and a path that is none, as if it were not there.
    if (value === "") return attribute;
    if (name!.toLowerCase() === "domain") {
      const made = domain(value!);
      return made === undefined ? undefined : before + made + after;
    }
    return value!.startsWith("/") ? before + path(value!) + after : attribute;
  }
}

/** The `Path` of a backend's cookie, as it has to be for the client to send it there, and nowhere else. */
export function clientCookiePath(path: string, place: BackendPlace): string {
  const { backendPath, clientPath } = place;
  // One that all of the backend gets. With a slash at its end, a client would keep it from `/api` itself (RFC 6265 §5.1.4).
  if (isUnderPath(backendPath, path.replace(/\/$/, ""))) return clientPath === "" ? "/" : clientPath;
  return clientPathOf(path, place);
}
