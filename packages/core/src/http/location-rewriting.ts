import { isUnderPath, replacePathPrefix } from "./path-prefix.ts";

/** The same place as a backend knows it and as its client does. */
export interface BackendPlace {
  /** Authorities that the backend goes by among those who ask it, e.g. `10.0.0.1:3000`. */
  readonly backendAuthorities: readonly string[];
  /** The authority that the client asked. */
  readonly clientAuthority: string | undefined;
  /** Where the backend's paths begin: `""` or a path without a slash at its end. */
  readonly backendPath: string;
  /** Where the client finds them. */
  readonly clientPath: string;
}

/**
 * A URL that a backend gave its client, of `Location` or `Content-Location`, as the client finds it: without the backend's own
 * host, which is no business of the client's, and under the client's path. What is elsewhere, and what is relative, stays as it is.
 *
 * So does a path that is under the client's already, where that is within the backend's: its app knows where it is mounted.
 */
export function rewriteLocation(location: string, place: BackendPlace): string {
  const [, scheme = "", authority, rest = ""] = /^(https?:)?[/\\]{2}([^/\\?#]*)(.*)$/is.exec(location) ?? [];
  if (authority === undefined) {
    const mapped = location.startsWith("/") ? clientPathOf(location, place) : location;
    return mapped === location ? location : pathAlone(mapped);
  }
  // What is behind an authority is its path from the root.
  const path = /^[/\\]/.test(rest) ? rest : `/${rest}`;
  if (place.backendAuthorities.some((own) => isSame(authority, own, scheme)))
    return pathAlone(clientPathOf(path, place));
  if (!isSame(authority, place.clientAuthority, scheme)) return location;
  const mapped = clientPathOf(path, place);
  return mapped === path ? location : `${location.slice(0, location.length - rest.length)}${mapped}`;
}

/** The same for `Refresh: 5; url=…`. */
export function rewriteRefresh(refresh: string, place: BackendPlace): string {
  const found = /^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?)(["']?)([^"']*)\2(\s*)$/i.exec(refresh);
  if (found === null) return refresh;
  const [, before, quote, url, after] = found;
  return `${before}${quote}${rewriteLocation(url!, place)}${quote}${after}`;
}

/** A path of the backend's, from the root and perhaps with a query behind it, as the client finds it. */
export function clientPathOf(path: string, { backendPath, clientPath }: BackendPlace): string {
  if (isUnderPath(clientPath, backendPath) && isUnderPath(path, clientPath)) return path;
  return replacePathPrefix(path, backendPath, clientPath) ?? path;
}

/** Two slashes at the beginning, either way round, would be read as another host (RFC 3986 §4.2). */
function pathAlone(path: string): string {
  return /^[/\\]{2}/.test(path) ? `/.${path}` : path;
}

function isSame(authority: string, own: string | undefined, scheme: string): boolean {
  return own !== undefined && withoutDefaultPort(authority, scheme) === withoutDefaultPort(own, scheme);
}

function withoutDefaultPort(authority: string, scheme: string): string {
  const lower = authority.toLowerCase();
  const port = scheme.toLowerCase() === "https:" ? ":443" : ":80";
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
