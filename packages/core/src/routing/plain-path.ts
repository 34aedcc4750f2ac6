/**
 * The path that a program could take this one for which decodes it, and does away with `.`, `..`, double and back slashes, as
 * some do and others do not. Itself, if there is nothing of that in it.
 */
export function plainPath(path: string): string {
  if (!isAmbiguous.test(path)) return path;
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (written, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x20 && code < 0x7f && code !== 0x25 ? String.fromCharCode(code) : written;
  });
  const kept: string[] = [];
  const parts = decoded.replaceAll("\\", "/").split("/").slice(1);
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part === "..") kept.pop();
    else if (part !== "." && (part !== "" || isLast)) kept.push(part);
    if (isLast && (part === ".." || part === ".")) kept.push("");
  }
  return `/${kept.join("/")}`;
}

const isAmbiguous = /%|\\|\/\/|\/\./;
