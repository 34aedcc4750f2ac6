/** A file or directory that a path names, below the root. */
export interface FilePath {
  /** Without slashes at its ends, `""` for the root itself. */
  readonly name: string;
  /** The path ends in a slash: only a directory is meant. */
  readonly slash: boolean;
}

/** Longer paths are of nothing that exists; a segment cannot be longer in any file system. */
const maxPathLength = 2_048;
const maxSegmentBytes = 255;

/**
 * Letters, digits, `-`, `.`, `_` that came percent-encoded. No client writes them so, but who is kept out of `/private` by a
 * route, which goes by the bytes of the path, would come to `/%70rivate`.
 */
const disguised = /%(2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])/i;

/** Backslashes and control characters in a name are no name's; a dot or space at its end is dropped by Windows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const strange = /[\\\x00-\x1f\x7f]|[. ]$/;

/** On Windows `name:stream` is another file than `name`. */
const streams = process.platform === "win32";

/**
 * What a path means, or undefined if nothing (BAD-INPUTS 170, 172): every segment is the name of a file or a directory, and no path
 * has two spellings. `hidden`: names that begin with a dot are meant, too.
 */
export function filePath(path: string, hidden: boolean): FilePath | undefined {
  if (path === "/") return { name: "", slash: true };
  if (path.length > maxPathLength || path.charCodeAt(0) !== 0x2f || disguised.test(path)) return undefined;
  const slash = path.endsWith("/");
  const segments = path.slice(1, slash ? -1 : undefined).split("/");
  for (const [index, encoded] of segments.entries()) {
    const segment = encoded.includes("%") ? decoded(encoded) : encoded;
    if (segment === undefined || !isName(segment)) return undefined;
    if (segment.startsWith(".") && !hidden && !(index === 0 && segment === ".well-known")) return undefined;
    segments[index] = segment;
  }
  return { name: segments.join("/"), slash };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function isName(segment: string): boolean {
  if (segment === "" || segment.includes("/") || strange.test(segment)) return false;
  if (streams && segment.includes(":")) return false;
  return segment.length < maxSegmentBytes / 3 || Buffer.byteLength(segment) <= maxSegmentBytes;
}
