import { dateLine } from "./date-line.ts";
import {
  connectionField,
  contentLengthField,
  hopByHopField,
  proxyConnectionField,
  teField,
  trailerField,
  transferEncodingField,
  upgradeField,
} from "./field-kind.ts";
import type { FieldSection } from "./field-section.ts";
import {
  isNamedIn,
  type LineRewriter,
  rewriteContentLength,
  rewriteLines,
  rewriteTransferEncoding,
} from "./line-rewriting.ts";
import type { ResponseHead } from "./response-head.ts";

export interface DownstreamOptions {
  /** An HTTP/1.0 client must not be sent interim responses: the front leaves those out. */
  readonly clientMinorVersion: 0 | 1;
  /** The client connection stays open after this response, as far as its framing allows: see {@link endsByClosing}. */
  readonly keepAlive: boolean;
  /** Complete header lines to add, each ending in CRLF, or `""`. */
  readonly extra: string;
  /** Lower-case names of fields that do not go on; compared by identity. Absent: none. */
  readonly dropped?: readonly string[] | undefined;
}

/**
 * Whether the client can see the end of this response's body only by its connection being closed: the upstream gave no
 * framing, or the client is HTTP/1.0 and cannot read chunks, so that it gets the payload alone.
 */
export function endsByClosing(head: ResponseHead, clientMinorVersion: 0 | 1): boolean {
  return head.framing.kind === "close" || (head.framing.kind === "chunked" && clientMinorVersion === 0);
}

/** The Date line that whoever passes a response on has to give it, if it has none (RFC 9110 §6.6.1). */
export function missingDate(head: ResponseHead): string {
  return head.fields.dated || head.status === 101 ? "" : dateLine();
}

/**
 * The head for the client: latin1, ending in the blank line, always HTTP/1.1. Fields that end here are removed,
 * Content-Length and Transfer-Encoding are as we would write them and only where the status allows them, and Connection
 * says what is needed and no more. All else passes byte for byte, in order.
 */
export function downstreamResponseHead(head: ResponseHead, options: DownstreamOptions): string {
  const { clientMinorVersion: minorVersion, extra, dropped } = options;
  const keepAlive = options.keepAlive && !endsByClosing(head, minorVersion);
  const last = head.relayed;
  if (
    last?.minorVersion === minorVersion &&
    last.keepAlive === keepAlive &&
    last.extra === extra &&
    last.dropped === dropped
  ) {
    return last.text;
  }
  const lines = rewriteLines(head.fields.section, new DownstreamLines(head, minorVersion, dropped));
  const connection = connectionLine(head, minorVersion, keepAlive);
  const text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${lines}${extra}${connection}\r\n`;
  head.relayed = { dropped, minorVersion, keepAlive, extra, text };
  return text;
}

/**
 * Whether {@link downstreamResponseHead} would write the very bytes that were received, so that the front may pass those
 * on instead.
 */
export function passesVerbatim(head: ResponseHead, options: DownstreamOptions): boolean {
  if (head.minorVersion !== 1 || options.clientMinorVersion !== 1 || options.extra !== "") return false;
  if (connectionLine(head, 1, options.keepAlive && !endsByClosing(head, 1)) !== "") return false;
  const { dropped } = options;
  if (head.unchangedFor11 === undefined || head.unchangedFor11.dropped !== dropped) {
    head.unchangedFor11 = { dropped, is: isUnchangedFor11(head, dropped) };
  }
  return head.unchangedFor11.is;
}

function isUnchangedFor11(head: ResponseHead, dropped: readonly string[] | undefined): boolean {
  const { section } = head.fields;
  // The space before an empty reason, forgiven when it misses, makes the difference of one.
  const statusLineBytes = "HTTP/1.1 200 \r\n".length + head.reason.length;
  if (head.byteLength !== statusLineBytes + section.text.length + 2) return false;
  return rewriteLines(section, new DownstreamLines(head, 1, dropped)) === section.text;
}

function connectionLine(head: ResponseHead, minorVersion: 0 | 1, keepAlive: boolean): string {
  if (head.status === 101) return "Connection: Upgrade\r\n";
  if (head.interim) return "";
  // RFC 9110 §15.5.22: a 426 must name the protocol it asks for, which Upgrade does only together with Connection.
  if (head.status === 426 && head.fields.upgrade !== undefined) {
    return keepAlive ? "Connection: Upgrade\r\n" : "Connection: Upgrade, close\r\n";
  }
  if (!keepAlive) return "Connection: close\r\n";
  return minorVersion === 0 ? "Connection: keep-alive\r\n" : "";
}

class DownstreamLines implements LineRewriter {
  readonly #head: ResponseHead;
  readonly #minorVersion: 0 | 1;
  readonly #dropped: readonly string[] | undefined;
  /** RFC 9110 §8.6 and RFC 9112 §6.1: neither Content-Length nor Transfer-Encoding in 1xx and 204. */
  readonly #unframed: boolean;

  constructor(head: ResponseHead, minorVersion: 0 | 1, dropped: readonly string[] | undefined) {
    this.#head = head;
    this.#minorVersion = minorVersion;
    // How a WebSocket is opened is between client and app, and hints are no response yet.
    this.#dropped = head.status < 200 ? undefined : dropped;
    this.#unframed = head.status < 200 || head.status === 204;
  }

  rewrite(section: FieldSection, index: number): string | undefined {
    const { status, fields } = this.#head;
    switch (section.lines[index + 2]) {
      case contentLengthField:
        return this.#unframed ? "" : rewriteContentLength(section, index, fields.contentLength);
      case transferEncodingField:
        return this.#unframed || this.#minorVersion === 0 ? "" : rewriteTransferEncoding(section, index);
      case connectionField:
      case teField:
      case hopByHopField:
      case proxyConnectionField:
        return "";
      case upgradeField:
        return status === 101 || status === 426 ? undefined : "";
      case trailerField:
        return this.#head.framing.kind === "chunked" && this.#minorVersion === 1 ? undefined : "";
      default:
        return isNamedIn(section, index, fields.connection.nominated) || isNamedIn(section, index, this.#dropped)
          ? ""
          : undefined;
    }
  }
}
