import { type FieldMeaning, fieldMeaning, type HeaderField } from "./hpack/header-field.ts";

/** What a head of HTTP/2 says, in the words of HTTP/1.1, still to be read by a parser of that. */
export interface RequestText {
  /** The request line, the lines of the fields and the blank line; latin1. */
  readonly text: string;
  /** Lines of fields in it. A reader that finds more was given a line break in a value. */
  readonly lines: number;
}

export interface RequestTextContext {
  /** The head is all there is of the request. */
  readonly endStream: boolean;
  /** A new value for Sec-WebSocket-Key, which HTTP/2 has none of. */
  readonly webSocketKey: () => string;
}

/** The pseudo-header fields, each there once at most. */
interface Pseudo {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
}

/**
 * A request of HTTP/2 as one of HTTP/1.1 (RFC 9113 §8.3, §8.2.3; RFC 8441). A body without a declared length gets the chunked
 * coding. Undefined: it is malformed (RFC 9113 §8.1.1).
 *
 * What is a request is not looked at here, but for what HTTP/1.1 has no words for: whoever reads the text finds faults as in
 * HTTP/1.1, and must find as many lines as {@link RequestText.lines} says.
 */
export function requestText(fields: readonly HeaderField[], context: RequestTextContext): RequestText | undefined {
  const pseudo: Pseudo = {
    method: undefined,
    scheme: undefined,
    authority: undefined,
    path: undefined,
    protocol: undefined,
  };
  let regular = 0;
  for (; regular < fields.length && fields[regular]!.meaning >= fieldMeaning.method; regular++) {
    const { meaning, value } = fields[regular]!;
    const part = parts[meaning];
    if (part === undefined || pseudo[part] !== undefined) return undefined;
    pseudo[part] = value;
  }
  const line = lineOf(pseudo);
  if (line === undefined) return undefined;
  const { authority, protocol } = pseudo;
  const webSocket = protocol !== undefined;
  if (webSocket && context.endStream) return undefined;
  let text = authority === undefined ? "" : `Host: ${authority}\r\n`;
  let lines = authority === undefined ? 0 : 1;
  let cookie: string | undefined;
  let sized = false;
  for (let at = regular; at < fields.length; at++) {
    const { name, value, meaning } = fields[at]!;
    switch (meaning) {
      case fieldMeaning.regular:
        break;
      case fieldMeaning.cookie:
        cookie = cookie === undefined ? value : `${cookie}; ${value}`;
        continue;
      case fieldMeaning.host:
        if (authority === undefined) break;
        if (value.toLowerCase() !== authority.toLowerCase()) return undefined;
        continue;
      case fieldMeaning.contentLength:
        sized = true;
        if (webSocket) continue;
        break;
      case fieldMeaning.te:
        if (value.toLowerCase() !== "trailers") return undefined;
        break;
      case fieldMeaning.webSocketKey:
        if (webSocket) continue;
        break;
      default:
        // Invalid, of one connection, or a pseudo-header field behind one that is none.
        return undefined;
    }
    text += `${name}: ${value}\r\n`;
    lines++;
  }
  if (cookie !== undefined) {
    text += `cookie: ${cookie}\r\n`;
    lines++;
  }
  if (webSocket) {
    text += `Sec-WebSocket-Key: ${context.webSocketKey()}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
    lines += 3;
  } else if (!context.endStream && !sized) {
    text += "Transfer-Encoding: chunked\r\n";
    lines++;
  }
  return { text: `${line} HTTP/1.1\r\n${text}\r\n`, lines };
}

/** The lines of trailers. Undefined: they are malformed, or would be more lines than fields. */
export function trailerLines(fields: readonly HeaderField[]): string | undefined {
  let lines = "";
  for (const { name, value, meaning } of fields) {
    if (meaning === fieldMeaning.invalid || meaning >= fieldMeaning.connectionSpecific) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

const parts: Partial<Record<FieldMeaning, keyof Pseudo>> = {
  [fieldMeaning.method]: "method",
  [fieldMeaning.scheme]: "scheme",
  [fieldMeaning.authority]: "authority",
  [fieldMeaning.path]: "path",
  [fieldMeaning.protocol]: "protocol",
};

/** Method and target. An extended CONNECT is a GET in HTTP/1.1; one to a host stays one, and is refused as there. */
function lineOf({ method, scheme, authority, path, protocol }: Pseudo): string | undefined {
  if (method === "CONNECT" && protocol === undefined) {
    return authority === undefined || path !== undefined || scheme !== undefined ? undefined : `CONNECT ${authority}`;
  }
  if (method === undefined || scheme === undefined || path === undefined) return undefined;
  // Absolute-form would name another host than `:authority` does.
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return undefined;
  if (protocol === undefined) return `${method} ${path}`;
  return method === "CONNECT" && protocol === "websocket" ? `GET ${path}` : undefined;
}
