import { dateLine } from "./date-line.ts";

export interface ErrorResponseOptions {
  /** Whole seconds for Retry-After. */
  readonly retryAfterSeconds?: number;
  /** The connection stays open. Default false: the answer carries `Connection: close`. */
  readonly keepAlive?: boolean;
  /** The request was HEAD: no body. */
  readonly head?: boolean;
  /** Complete header lines to add, or `""`. */
  readonly extra?: string;
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** What a status obliges its sender to say besides (RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4). */
const obligations: Readonly<Record<number, string>> = {
  405: "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n",
  426: "Sec-WebSocket-Version: 13\r\n",
};

/**
 * Answers made in this second; the few there are come again and again, while Retry-After could make them without number.
 */
const made = new Map<string, Buffer>();
let madeOn = "";
const maxMade = 256;

/**
 * The bytes of an answer of our own: plain text that names the status and nothing of the request. The buffer is shared
 * between callers and must not be written to.
 */
export function errorResponse(status: number, options: ErrorResponseOptions = {}, date: string = dateLine()): Buffer {
  const { retryAfterSeconds = -1, keepAlive = false, head = false, extra = "" } = options;
  const key = `${status} ${retryAfterSeconds} ${keepAlive} ${head} ${extra}`;
  if (date !== madeOn) {
    madeOn = date;
    made.clear();
  }
  let response = made.get(key);
  if (response === undefined) {
    response = Buffer.from(compose(status, date, { retryAfterSeconds, keepAlive, head, extra }), "latin1");
    if (made.size >= maxMade) made.clear();
    made.set(key, response);
  }
  return response;
}

export function reasonPhrase(status: number): string {
  return reasons[status] ?? "Error";
}

/** The same without what is HTTP/1.1's alone: its lines, and its body. */
export function errorParts(
  status: number,
  { retryAfterSeconds = -1, head = false, extra = "" }: Omit<ErrorResponseOptions, "keepAlive"> = {},
  date: string = dateLine(),
): { readonly lines: string; readonly body: string } {
  const body = `${status} ${reasonPhrase(status)}\n`;
  const lines =
    `${date}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` +
    (obligations[status] ?? "") +
    (retryAfterSeconds >= 0 ? `Retry-After: ${Math.ceil(retryAfterSeconds)}\r\n` : "") +
    extra;
  return { lines, body: head ? "" : body };
}

function compose(
  status: number,
  date: string,
  { retryAfterSeconds, keepAlive, head, extra }: Required<ErrorResponseOptions>,
): string {
  const { lines, body } = errorParts(status, { retryAfterSeconds, head, extra }, date);
  const upgrade = status === 426 ? "Upgrade: websocket\r\n" : "";
  const connection = [...(status === 426 ? ["Upgrade"] : []), ...(keepAlive ? [] : ["close"])].join(", ");
  return (
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}${upgrade}` +
    (connection === "" ? "" : `Connection: ${connection}\r\n`) +
    `\r\n${body}`
  );
}
