import type { NegotiatedTls } from "../model/negotiated-tls.ts";
import type { FieldRules } from "../options/header-options.ts";
import { normaliseAddress } from "./address.ts";
import {
  clientCertField,
  contentLengthField,
  cookieField,
  expectField,
  forwardedForField,
  forwardedHostField,
  forwardedPortField,
  forwardedProtoField,
  hostField,
  realIpField,
  trailerField,
  transferEncodingField,
} from "./field-kind.ts";
import type { FieldSection } from "./field-section.ts";
import { clientBehind, type ForwardedBefore, type ForwardedConnection, forwardingFields } from "./forwarded-for.ts";
import { headerLines } from "./header-lines.ts";
import {
  isNamedIn,
  type LineRewriter,
  rewriteContentLength,
  rewriteLines,
  rewriteTransferEncoding,
} from "./line-rewriting.ts";
import { wayOfKind } from "./named-fields.ts";
import { mayClimb } from "./plain-path.ts";
import type { RequestHead } from "./request-head.ts";
import type { RequestIds } from "./request-ids.ts";
import type { TraceContexts } from "./trace-contexts.ts";
import { parseTraceParent, type TraceParent, traceParent } from "./trace-parent.ts";

export { normaliseAddress };

/** What the front knows of the client connection; one object per connection, since memos compare its identity. */
export interface ForwardingFacts extends ForwardedConnection {
  /** Which of the public listeners accepted it, counted from 0. Absent: 0. */
  readonly listener?: number | undefined;
  /** Of the peer, where a proxy of ours has accepted it. Absent: the connection's own. */
  readonly peerPort?: number | undefined;
  /** What was agreed on in it. Absent: no TLS. */
  readonly tls?: NegotiatedTls | undefined;
  /** The host that the client named in its TLS handshake. Absent: none, or no TLS. */
  readonly serverName?: string | undefined;
  /**
   * What is said of the client's certificate (name, value, name, value …), in place of what it says of it, where clients are asked
   * for one. Absent: they are not.
   */
  readonly clientFields?: readonly string[] | undefined;
  /** The peer is a proxy of ours: what it says in X-Forwarded-* and X-Real-IP is believed and kept. */
  readonly peerTrusted: boolean;
  /** Gives requests their ids. Absent: they have none. */
  readonly requestIds?: RequestIds | undefined;
  /** Decides on the traces of requests. Absent: what clients say of them is passed on. */
  readonly traces?: TraceContexts | undefined;
  /** What the settings do to the fields of requests; others may take their place while it is open. */
  rules?: FieldRules | undefined;
  /** A Cookie header's value without the cookie that is ours, `""` if nothing else was in it. Absent: we have none. As `rules`. */
  stripCookie?: ((value: string) => string) | undefined;
}

/** What a route does to its requests. Compared by identity. */
export interface UpstreamRules {
  /** In place of the client's Host. Absent: that. */
  readonly host?: string | undefined;
  /** In place of those of the client's connection. */
  readonly fields: FieldRules | undefined;
  /** The target as it goes on. Absent: as it came. */
  readonly target?: ((head: RequestHead) => string) | undefined;
  /** Complete lines that are added, or `""`. */
  readonly lines: string;
}

/**
 * The head that goes upstream: latin1, ending in the blank line, always HTTP/1.1.
 *
 * - Fields that end here are removed: Connection and what it nominates, Keep-Alive, Proxy-*, HTTP2-Settings, TE but for
 *   `trailers`, Trailer without a chunked body, Upgrade without a valid request for one.
 * - Content-Length and Transfer-Encoding are as we would write them.
 * - Host is that of an absolute-form target if there is one, and empty if an HTTP/1.0 request names none.
 * - X-Forwarded-For, -Proto, -Host, -Port and X-Real-IP are ours. From a trusted peer its own are kept instead, and its
 *   address is appended to X-Forwarded-For. Forwarded, Proxy and underscore aliases are dropped in any case.
 * - Client-Cert, -Chain and X-Client-Cert-* are ours where clients are asked for certificates, and else a trusted peer's.
 * - Of Cookie, unless Connection nominates it, the one that is ours is taken out.
 * - Where requests are traced, traceparent is ours, and tracestate is dropped where the trace begins here.
 * - Fields are dropped and added as the rules say, which concern none of those above but Cookie.
 *
 * All else passes byte for byte, in order. The lines are remembered with the header lines they were made from.
 */
export function upstreamRequestHead(head: RequestHead, facts: ForwardingFacts, rules?: UpstreamRules): string {
  const target = rules?.target === undefined ? head.target : rules.target(head);
  const lines = upstreamLines(head, facts, rules);
  const id = facts.requestIds === undefined ? "" : facts.requestIds.line(head.id);
  return `${head.method} ${target} HTTP/1.1\r\n${id}${head.traceLine}${lines}`;
}

/** Such a head, for an endpoint that is to know this span as its parent. */
export function underSpan(head: string, { traceLine, sampled }: RequestHead, spanId: string): string {
  return sampled === undefined
    ? head
    : head.replace(traceLine, traceLineOf(traceParent(sampled.traceId, spanId, true)));
}

/** Gives a request its trace, and its id, which its client gets if the settings say so. */
export function identify(head: RequestHead, facts: ForwardingFacts): void {
  const { requestIds, traces, peerTrusted } = facts;
  if (traces !== undefined) {
    const { text, sampled } = traces.next(parentOf(head, facts));
    head.traceLine = traceLineOf(text);
    head.sampled = sampled;
  }
  if (requestIds === undefined) return;
  head.id = requestIds.of(peerTrusted ? head.header(requestIds.lowerHeader) : undefined);
  if (requestIds.inResponse) head.responseLines = requestIds.line(head.id);
}

function traceLineOf(text: string): string {
  return `traceparent: ${text}\r\n`;
}

/** What its peer says of its trace, if that is believed. */
function parentOf({ fields }: RequestHead, { traces, peerTrusted }: ForwardingFacts): TraceParent | undefined {
  if (traces?.follows(peerTrusted) !== true) return undefined;
  fields.traceParent ??= parseTraceParent(fields.section.get("traceparent")) ?? "none";
  return fields.traceParent === "none" ? undefined : fields.traceParent;
}

/** Such a head for an endpoint whose paths all begin with `basePath`. Undefined: its target may lead out of that. */
export function underBasePath(head: string, target: string, basePath = ""): string | undefined {
  if (basePath === "" || target === "*") return head;
  if (mayClimb(target)) return undefined;
  const path = head.indexOf(" ") + 1;
  return head.slice(0, path) + basePath + head.slice(path);
}

/** The client's address as the balancer should see it: the peer's, or the one that a trusted peer names. */
export function clientAddressOf(head: RequestHead, { peerAddress, peerTrusted }: ForwardingFacts): string {
  return peerTrusted ? clientBehind(peerAddress, head.header("x-forwarded-for")) : peerAddress;
}

/** Whether the client's way to us was encrypted as far as is known: to here, or to a proxy of ours that says so. */
export function cameEncrypted(head: RequestHead, { encrypted, peerTrusted }: ForwardingFacts): boolean {
  return encrypted || (peerTrusted && head.header("x-forwarded-proto") === "https");
}

/** All lines and the blank line, remembered unless the request line had a part in them. */
function upstreamLines(head: RequestHead, facts: ForwardingFacts, rules: UpstreamRules | undefined): string {
  const { fields, minorVersion } = head;
  if (head.authority !== undefined) return new UpstreamLines(head, facts, rules).write();
  if (
    fields.forwardedFacts !== facts ||
    fields.forwardedRules !== rules ||
    fields.forwardedMinorVersion !== minorVersion
  ) {
    fields.forwardedLines = new UpstreamLines(head, facts, rules).write();
    fields.forwardedFacts = facts;
    fields.forwardedRules = rules;
    fields.forwardedMinorVersion = minorVersion;
  }
  return fields.forwardedLines;
}

const noFields: readonly string[] = [];

/** Writes the lines of one head; lives no longer than that. */
class UpstreamLines implements LineRewriter {
  readonly #head: RequestHead;
  readonly #facts: ForwardingFacts;
  readonly #rules: FieldRules | undefined;
  /** In place of the one in the Host field. */
  readonly #host: string | undefined;
  /** Complete lines of a route. */
  readonly #added: string;
  readonly #said: { -readonly [Part in keyof ForwardedBefore]: ForwardedBefore[Part] } = {
    chain: undefined,
    proto: false,
    host: false,
    port: false,
    realIp: false,
  };

  constructor(head: RequestHead, facts: ForwardingFacts, rules: UpstreamRules | undefined) {
    this.#head = head;
    this.#facts = facts;
    this.#rules = rules === undefined ? facts.rules : rules.fields;
    this.#host = rules?.host ?? head.authority;
    this.#added = rules?.lines ?? "";
  }

  write(): string {
    const { fields, host } = this.#head;
    const received = rewriteLines(fields.section, this);
    const hostLine = fields.host === undefined ? `Host: ${this.#host ?? host}\r\n` : "";
    return `${hostLine}${received}${headerLines(this.#rules?.fields ?? noFields)}${this.#added}${this.#connectionLines()}${this.#forwardingLines()}\r\n`;
  }

  rewrite(section: FieldSection, index: number): string | undefined {
    const { fields } = this.#head;
    const { requestIds, traces } = this.#facts;
    if (requestIds !== undefined && section.isTakenFor(index, requestIds.lowerHeader)) return "";
    if (traces !== undefined && this.#isOfAnotherTrace(section, index)) return "";
    if (this.#rules !== undefined && isNamedIn(section, index, this.#rules.dropped)) return "";
    switch (section.lines[index + 2]) {
      case hostField:
        return this.#host === undefined ? undefined : `Host: ${this.#host}\r\n`;
      case contentLengthField:
        return rewriteContentLength(section, index, fields.contentLength);
      case transferEncodingField:
        return rewriteTransferEncoding(section, index);
      case cookieField:
        return isNamedIn(section, index, fields.connection.nominated) ? "" : this.#withoutOurs(section, index);
      case expectField:
        return this.#head.expectsContinue ? undefined : "";
      case trailerField:
        return fields.framing.kind === "chunked" ? undefined : "";
      default:
        return this.#rewriteByWay(section, index);
    }
  }

  /** Ours says it in its place; the state belongs to the trace that it came with. */
  #isOfAnotherTrace(section: FieldSection, index: number): boolean {
    if (section.isNamed(index, "traceparent")) return true;
    return section.isNamed(index, "tracestate") && parentOf(this.#head, this.#facts) === undefined;
  }

  #rewriteByWay(section: FieldSection, index: number): string | undefined {
    switch (wayOfKind(section.lines[index + 2]!)) {
      case "ends-here":
      case "never":
        return "";
      case "if-trusted":
        return this.#rewriteForwarding(section, index);
      case "passes":
        return isNamedIn(section, index, this.#head.fields.connection.nominated) ? "" : undefined;
    }
  }

  #rewriteForwarding(section: FieldSection, index: number): string | undefined {
    const believed = this.#facts.peerTrusted && !isNamedIn(section, index, this.#head.fields.connection.nominated);
    if (!believed) return "";
    const said = this.#said;
    switch (section.lines[index + 2]) {
      case clientCertField:
        return this.#facts.clientFields === undefined ? undefined : "";
      case forwardedForField:
        said.chain = said.chain === undefined ? section.value(index) : `${said.chain}, ${section.value(index)}`;
        return "";
      case forwardedProtoField:
        said.proto = true;
        break;
      case forwardedHostField:
        said.host = true;
        break;
      case forwardedPortField:
        said.port = true;
        break;
      case realIpField:
        said.realIp = true;
        break;
    }
    return undefined;
  }

  #withoutOurs(section: FieldSection, index: number): string | undefined {
    const { stripCookie } = this.#facts;
    if (stripCookie === undefined) return undefined;
    const received = section.value(index);
    const value = stripCookie(received);
    if (value === received) return undefined;
    return value === "" ? "" : `Cookie: ${value}\r\n`;
  }

  #connectionLines(): string {
    const { upgrade, acceptsTrailers } = this.#head.fields;
    if (upgrade !== undefined) return `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
    return acceptsTrailers ? "Connection: TE\r\nTE: trailers\r\n" : "";
  }

  #forwardingLines(): string {
    const { clientFields } = this.#facts;
    const lines = headerLines(forwardingFields(this.#facts, this.#said, this.#head.host));
    return clientFields === undefined ? lines : lines + headerLines(clientFields);
  }
}
