/** What a head of HTTP/2 says, in the words of HTTP/1.1, still to be read by a parser of that. */
export interface Http1Words {
  /** The request line, the lines of the fields and the blank line; latin1. */
  readonly text: string;
  /** Lines of fields in it. A reader that finds more was given a line break in a value. */
  readonly lines: number;
}

export interface Http2RequestContext {
  /** The head is all there is of the request. */
  readonly endStream: boolean;
  /** A new value for Sec-WebSocket-Key, which HTTP/2 has none of. */
  readonly webSocketKey: () => string;
}

/** Fields that HTTP/2 has no place for (RFC 9113 §8.2.2), and those that stand for what its frames say. */
const forbidden = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
/** Of an opening handshake, and ours to say. */
const handshakeFields = new Set(["sec-websocket-key", "content-length"]);

/** The pseudo-header fields, each there once at most. */
interface Pseudo {
  ":method"?: string;
  ":scheme"?: string;
  ":authority"?: string;
  ":path"?: string;
  ":protocol"?: string;
}

/**
 * A request of HTTP/2 as one of HTTP/1.1 (RFC 9113 §8.3, §8.2.3; RFC 8441). `fields` are name, value, name, value …, names in
 * lower case. A body without a declared length gets the chunked coding. Undefined: it is malformed (RFC 9113 §8.1.1).
 *
 * What is in values is not looked at here: whoever reads the text finds faults as in HTTP/1.1, and must find as many lines
 * as {@link Http1Words.lines} says.
 */
export function http1Words(fields: readonly string[], context: Http2RequestContext): Http1Words | undefined {
  const pseudo: Pseudo = {};
  let regular = 0;
  for (; regular < fields.length && fields[regular]!.charCodeAt(0) === colon; regular += 2) {
    const name = fields[regular]! as keyof Pseudo;
    if (!pseudoNames.has(name) || pseudo[name] !== undefined) return undefined;
    pseudo[name] = fields[regular + 1]!;
  }
  const line = lineOf(pseudo);
  if (line === undefined) return undefined;
  const { ":authority": authority, ":protocol": protocol } = pseudo;
  const webSocket = protocol !== undefined;
  if (webSocket && context.endStream) return undefined;
  let text = authority === undefined ? "" : `Host: ${authority}\r\n`;
  let lines = authority === undefined ? 0 : 1;
  let cookie: string | undefined;
  let sized = false;
  for (let at = regular; at < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    switch (name) {
      case "cookie":
        cookie = cookie === undefined ? value : `${cookie}; ${value}`;
        continue;
      case "host":
        if (authority === undefined) break;
        if (value.toLowerCase() !== authority.toLowerCase()) return undefined;
        continue;
      case "content-length":
        sized = true;
        break;
      default:
        if (forbidden.has(name) || name.includes(":")) return undefined;
    }
    if (webSocket && handshakeFields.has(name)) continue;
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

const colon = 0x3a;
const pseudoNames: ReadonlySet<string> = new Set([":method", ":scheme", ":authority", ":path", ":protocol"]);

/** Method and target. An extended CONNECT is a GET in HTTP/1.1; one to a host stays one, and is refused as there. */
function lineOf({ ":method": method, ":scheme": scheme, ":path": path, ...rest }: Pseudo): string | undefined {
  const { ":authority": authority, ":protocol": protocol } = rest;
  if (method === "CONNECT" && protocol === undefined) {
    return authority === undefined || path !== undefined || scheme !== undefined ? undefined : `CONNECT ${authority}`;
  }
  if (method === undefined || scheme === undefined || path === undefined) return undefined;
  // Absolute-form would name another host than `:authority` does.
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return undefined;
  if (protocol === undefined) return `${method} ${path}`;
  return method === "CONNECT" && protocol === "websocket" ? `GET ${path}` : undefined;
}
