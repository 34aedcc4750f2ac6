/**
 * How programs read paths that were written to be read in more than one way: the one place where it is said what is a dot, a
 * slash and an end of a segment to somebody (BAD-INPUTS 57, 170, 179).
 */

/** Most paths have nothing of that in them, and pay for no more than this. */
const isAmbiguous = /[%\\;]|\/\/|\/\./;

/**
 * The path that a program could take this one for which decodes it, and does away with `.`, `..`, double and back slashes and what
 * follows a semicolon in a segment, as some do and others do not. Itself, if there is nothing of that in it.
 */
export function plainPath(path: string): string {
  if (!isAmbiguous.test(path)) return path;
  const kept: string[] = [];
  const segments = segmentsOf(path).slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== "." && (segment !== "" || isLast)) kept.push(segment);
    if (isLast && (segment === ".." || segment === ".")) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/**
 * Whether a path, which may have a query behind it, may lead out of one that is put before it. Without such a one there is nothing to
 * lead out of, and dots are relayed as they are.
 */
export function mayClimb(target: string): boolean {
  if (!target.includes("..") && !target.includes("%")) return false;
  const query = target.indexOf("?");
  return segmentsOf(query === -1 ? target : target.slice(0, query)).includes("..");
}

/** Decoded, but for what is no printable character of ASCII, and without parameters: `/a;v=1/..;/` has `a` and `..`. */
function segmentsOf(path: string): readonly string[] {
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (written, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x20 && code < 0x7f && code !== 0x25 ? String.fromCharCode(code) : written;
  });
  return decoded.split(/[/\\]/).map((segment) => segment.split(";", 1)[0]!);
}
