/** A body that was read before it came here, and what the request says of its bytes. */
export interface ParsedBody {
  readonly body: unknown;
  readonly contentType: string | undefined;
  /** The bytes were compressed or otherwise encoded. */
  readonly encoded: boolean;
  /** Undefined: the request does not say. */
  readonly contentLength: number | undefined;
}

/**
 * The bytes that a body parser such as `express.json()` made `body` of, or ones that say the same; undefined if they
 * cannot be had: a target must not be told something else than what was checked here. That is so for forms with lists or
 * files, for texts that may have been read in more than one way, and for numbers that JavaScript has rounded.
 */
export function serialiseBody({ body, contentType = "", encoded, contentLength }: ParsedBody): Buffer | undefined {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined || !isUtf8(contentType)) return undefined;
  if (typeof body === "string") {
    // A parser that takes any JSON makes of a text in quotes the one within them; one that takes bytes for UTF-8 which are
    // none puts U+FFFD in their place. Neither is the body, and what is neither is as long as the request says.
    const bytes = Buffer.from(body);
    return !encoded && bytes.length === contentLength && !body.includes("\ufffd") ? bytes : undefined;
  }
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/json" || type.endsWith("+json")) return jsonOf(body);
  if (type === "application/x-www-form-urlencoded") return formOf(body);
  return undefined;
}

/** Whatever else the charset is, a parser has decoded it, and we would not encode it again. */
function isUtf8(contentType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType)?.[1];
  return charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset);
}

function jsonOf(body: unknown): Buffer | undefined {
  let exact = true;
  let text: string | undefined;
  try {
    text = JSON.stringify(body, (_, value: unknown) => {
      if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) exact = false;
      return value;
    });
  } catch {
    // A cycle, or a BigInt: what was parsed has become something else.
    return undefined;
  }
  return exact && text !== undefined ? Buffer.from(text) : undefined;
}

/** Names with one text each. Of lists and nested values there is more than one spelling, which targets tell apart. */
function formOf(body: unknown): Buffer | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const fields = Object.entries(body);
  if (!fields.every((field): field is [string, string] => typeof field[1] === "string")) return undefined;
  return Buffer.from(new URLSearchParams(fields).toString());
}
