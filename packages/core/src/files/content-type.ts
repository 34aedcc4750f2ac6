import { lookup } from "mrmime";

/** What nobody knows is to be stored, not shown: with `nosniff` a browser does not guess. */
const unknownType = "application/octet-stream";

/** Those that mrmime has not, or has for something else than what is on web servers. */
const ours: Readonly<Record<string, string>> = { ico: "image/x-icon", jsx: unknownType };

/** By the extension, in lower case and without the dot, or undefined. */
export function knownType(extension: string): string | undefined {
  return ours[extension] ?? lookup(extension);
}

/** Of the last segment: `""` if it has none; what begins with a dot is all name. */
export function extensionOf(name: string): string {
  const segment = name.lastIndexOf("/") + 1;
  const dot = name.lastIndexOf(".");
  return dot > segment ? name.slice(dot + 1).toLowerCase() : "";
}

/** The Content-Type of a file of this name. Text is UTF-8, as everything on the web is that does not say otherwise. */
export function contentType(name: string, types: Readonly<Record<string, string>>): string {
  const extension = extensionOf(name);
  const own = Object.hasOwn(types, extension) ? types[extension] : undefined;
  if (own !== undefined) return own;
  const type = knownType(extension) ?? unknownType;
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

const compressed =
  /^(image\/(?!svg|bmp|x-icon)|video\/|audio\/|font\/woff|application\/(zip|gzip|x-7z|x-rar|pdf|octet-stream))/;

/** Whether there may be a smaller version of it beside it. */
export function isCompressible(type: string): boolean {
  return !compressed.test(type);
}
