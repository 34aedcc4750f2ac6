const redacted = "***";

/** Takes the values of these query parameters out of targets and URLs. Undefined: there are none to take out. */
export function redactor(names: readonly string[]): ((url: string) => string) | undefined {
  if (names.length === 0) return undefined;
  const secret = new Set(names.map((name) => name.toLowerCase()));
  return (url) => {
    const query = url.indexOf("?") + 1;
    if (query === 0) return url;
    // Most queries have nothing in them that is a secret, and cost no more than a look at their names.
    let result = "";
    let kept = 0;
    let at = query;
    while (at < url.length) {
      const end = endOfParameter(url, at);
      const equals = url.indexOf("=", at);
      if (equals !== -1 && equals < end && secret.has(nameOf(url.slice(at, equals)))) {
        result += url.slice(kept, equals + 1) + redacted;
        kept = end;
      }
      at = end + 1;
    }
    return kept === 0 ? url : result + url.slice(kept);
  };
}

/** `;` parts parameters, too, for some programs; a fragment ends them, which a Referer of a careless client may have: what was given to a page by it is as secret. */
function endOfParameter(url: string, from: number): number {
  let at = from;
  while (at < url.length && url[at] !== "&" && url[at] !== ";" && url[at] !== "#") at++;
  return at;
}

/** As programs read it: however it is coded. Of `filter[token]` the whole is the name. */
function nameOf(coded: string): string {
  const lower = coded.toLowerCase();
  if (!lower.includes("%") && !lower.includes("+")) return lower;
  try {
    return decodeURIComponent(lower.replaceAll("+", " ")).toLowerCase();
  } catch {
    return lower;
  }
}
