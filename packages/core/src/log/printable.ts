/**
 * What a terminal takes for an order, or a reader for another order of the text: control characters of both sets, line
 * and paragraph separators, and marks of writing direction.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** `text` on one line, with what would act on a terminal written out: names, paths and messages come from anywhere. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    switch (character) {
      case "\n":
        return "\\n";
      case "\r":
        return "\\r";
      case "\t":
        return " ";
      default: {
        const code = character.charCodeAt(0);
        return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
      }
    }
  });
}

/** Cuts what somebody else wrote to a length that a line can hold. */
export function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
