import type { File } from "../api/ask.ts";

/** Has the browser keep a file, as it does with those that it downloads. */
export function keep({ name, content }: File): void {
  const href = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  URL.revokeObjectURL(href);
}
