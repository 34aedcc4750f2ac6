export interface AbsoluteForm {
  /** It may not be one: see `isAuthority`. */
  readonly authority: string;
  /** Path and query, beginning with a slash; empty if the target ends with the authority. */
  readonly path: string;
}

/** A target in absolute form (RFC 9112 §3.2.2), for those who have it as text; undefined: it is in another one. */
export function absoluteForm(target: string): AbsoluteForm | undefined {
  const [, authority, rest = ""] = /^https?:\/\/([^/?]*)(.*)$/is.exec(target) ?? [];
  if (authority === undefined) return undefined;
  return { authority, path: rest === "" || rest.startsWith("/") ? rest : `/${rest}` };
}
