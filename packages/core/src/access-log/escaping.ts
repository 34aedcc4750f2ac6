// What stands in a line comes from clients: nothing of it may end the line or its quotes, or be an order to a terminal that shows it.

/** What JSON does not let stand, and what a terminal takes for an order: control characters of both sets, separators, marks of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
const unsafe = /["\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/;
const terminalOrders = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** As a string of JSON. */
export function jsonText(text: string): string {
  if (isPlain(text) || !unsafe.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    terminalOrders,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Printable ASCII but quotes and backslashes: what nearly all that is written is, and what an expression would take longer to find. */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const octet = text.charCodeAt(at);
    if (octet < 0x20 || octet > 0x7e || octet === 0x22 || octet === 0x5c) return false;
  }
  return true;
}

/** Between quotes of the combined format, as nginx has it: what is not printable ASCII, quotes and backslashes are `\xHH` each octet. */
export function quotedText(text: string): string {
  if (isPlain(text)) return text;
  let escaped = "";
  for (const octet of Buffer.from(text)) {
    const isPlain = octet >= 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c;
    escaped += isPlain ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0").toUpperCase()}`;
  }
  return escaped;
}

const notAscii = /[\u0080-\uffff]/;

/** A field's value, whose octets were read one a character, as the text that it most likely is. */
export function fieldText(value: string): string {
  return notAscii.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}

/** Of a field that a client can make as long as it likes. */
const longestField = 1_024;

export function shortField(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = fieldText(value);
  // Half a character at the end is one that some receivers of JSON refuse, with all that is sent with it.
  return text.length <= longestField ? text : `${text.slice(0, longestField).replace(/[\ud800-\udbff]$/, "")}…`;
}
