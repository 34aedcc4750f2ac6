/**
 * `name=value` pairs in a separated list: a Cookie header (`;`) or a query (`&`). Written for the machine: one native
 * search for the name, no copy of anything but what was looked for; linear in the text whatever is in it.
 */

const space = 0x20;
const tab = 0x09;
const equals = 0x3d;

/** The value under `name` in `text` from `start` on; undefined if there is none, or more than one. */
export function soleValue(text: string, name: string, separator: string, start = 0): string | undefined {
  const at = pairAt(text, name, separator, start, start);
  if (at === -1) return undefined;
  const found = text.indexOf(separator, at);
  const end = found === -1 ? text.length : found;
  if (found !== -1 && pairAt(text, name, separator, start, end) !== -1) return undefined;
  const begin = skipBlanks(text, valueAt(text, at + name.length));
  return text.slice(begin, trimmedEnd(text, begin, end));
}

/** `text` without the pairs under `name`, all else as it was; `text` itself if there are none, `""` if nothing is left. */
export function withoutPairs(text: string, name: string, separator: string): string {
  let at = pairAt(text, name, separator, 0, 0);
  if (at === -1) return text;
  let left = "";
  let from = 0;
  while (at !== -1) {
    left += text.slice(from, at);
    const end = text.indexOf(separator, at);
    if (end === -1) return withoutTail(left, separator);
    from = skipBlanks(text, end + 1);
    at = pairAt(text, name, separator, 0, end);
  }
  return left + text.slice(from);
}

/** Where the name of the next pair under `name` stands, at or after `from`; -1: there is none. The list begins at `start`. */
function pairAt(text: string, name: string, separator: string, start: number, from: number): number {
  for (let at = text.indexOf(name, from); at !== -1; at = text.indexOf(name, at + 1)) {
    if (valueAt(text, at + name.length) !== -1 && opensElement(text, at, separator, start)) return at;
  }
  return -1;
}

/** Where the value begins of a pair whose name ends at `nameEnd`; -1: no `=` follows, the name is a longer one. */
function valueAt(text: string, nameEnd: number): number {
  const at = skipBlanks(text, nameEnd);
  return text.charCodeAt(at) === equals ? at + 1 : -1;
}

function opensElement(text: string, nameAt: number, separator: string, start: number): boolean {
  let before = nameAt - 1;
  while (before >= start && isBlank(text.charCodeAt(before))) before--;
  return before < start || text[before] === separator;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

function trimmedEnd(text: string, begin: number, end: number): number {
  let at = end;
  while (at > begin && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

function withoutTail(text: string, separator: string): string {
  let end = text.length;
  while (end > 0 && (isBlank(text.charCodeAt(end - 1)) || text[end - 1] === separator)) end--;
  return text.slice(0, end);
}
