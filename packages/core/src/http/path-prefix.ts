/**
 * `path`, which may have a query behind it, with `to` in place of `from`; undefined: it does not begin with `from`. Both are
 * `""` or begin with a slash and end without one. A prefix ends where a segment does: `/api` is none of `/apis`.
 */
export function replacePathPrefix(path: string, from: string, to: string): string | undefined {
  if (!isUnderPath(path, from)) return undefined;
  const rest = path.slice(from.length);
  return to === "" && !rest.startsWith("/") ? `/${rest}` : to + rest;
}

export function isUnderPath(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || /^[/?#]/.test(path.slice(prefix.length)));
}
