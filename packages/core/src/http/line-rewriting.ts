import { type FieldSection, lineStride } from "./field-section.ts";

/** Says what becomes of the line at `index` of `section.lines`: undefined keeps it, `""` drops it. */
export interface LineRewriter {
  rewrite(section: FieldSection, index: number): string | undefined;
}

/** The lines of `section` after `rewriter`. Neighbouring lines that are kept are copied as one piece. */
export function rewriteLines(section: FieldSection, rewriter: LineRewriter): string {
  const { text, lines } = section;
  let rewritten = "";
  let kept = 0;
  for (let index = 0; index < lines.length; index += lineStride) {
    const replacement = rewriter.rewrite(section, index);
    if (replacement === undefined) continue;
    rewritten += text.substring(kept, lines[index]!) + replacement;
    kept = section.lineEnd(index);
  }
  return kept === 0 ? text : rewritten + text.substring(kept);
}

/** Keeps a Content-Length line that is written as we would write it, else writes it anew. */
export function rewriteContentLength(section: FieldSection, index: number, bytes: number): string | undefined {
  return section.isCanonical(index, String(bytes)) ? undefined : `Content-Length: ${bytes}\r\n`;
}

/** Keeps `Transfer-Encoding: chunked` if it is written like that, else writes it anew. */
export function rewriteTransferEncoding(section: FieldSection, index: number): string | undefined {
  return section.isCanonical(index, "chunked") ? undefined : "Transfer-Encoding: chunked\r\n";
}

/** Whether the line at `index` has one of these names, e.g. of those that Connection nominates to end here. Names are in lower case. */
export function isNamedIn(section: FieldSection, index: number, names: readonly string[] | undefined): boolean {
  return names?.some((name) => section.isNamed(index, name)) === true;
}
