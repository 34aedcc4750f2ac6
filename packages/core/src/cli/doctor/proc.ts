import { readFileSync } from "node:fs";

/** Undefined: there is no such file here, or it is not ours to read. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

export function numberAt(path: string): number | undefined {
  const text = textAt(path)?.trim();
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
