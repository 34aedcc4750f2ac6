import { isAuthority } from "./authority.ts";
import { type BodyFraming, chunkedBody, noBody } from "./body-framing.ts";
import { type ConnectionOptions, readConnectionOptions, readProxyConnection } from "./connection-options.ts";
import {
  connectionField,
  contentLengthField,
  expectField,
  hostField,
  proxyConnectionField,
  teField,
  transferEncodingField,
  upgradeField,
  viaField,
} from "./field-kind.ts";
import { type FieldSection, lineStride } from "./field-section.ts";
import { parseContentLength, transferEncodingFault } from "./framing-fields.ts";
import { listElements } from "./octets.ts";
import type { RequestFault } from "./rejection.ts";
import type { TraceParent } from "./trace-parent.ts";
import { acceptedProtocol } from "./upgrade-offer.ts";

/** Of the fields that a log tells, as text. */
export interface LoggedFields {
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/**
 * What the header lines of a request mean, apart from its request line. Successive requests of one connection whose
 * header lines are the same bytes share one of these, and with it every memo that hangs on it.
 */
export class RequestFields {
  readonly section: FieldSection;
  /** The Host value, valid; undefined if there is none. */
  host: string | undefined = undefined;
  framing: BodyFraming = noBody;
  /** The declared length, 0 included; -1 if none is declared. */
  contentLength = -1;
  expectsContinue = false;
  /** TE lists `trailers`. */
  acceptsTrailers = false;
  /** The protocol of a valid request for an upgrade, in lower case. */
  upgrade: string | undefined = undefined;
  /** The proxies on its way, if any said so. */
  via: string | undefined = undefined;
  readonly connection: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: undefined };
  /** The lines as they go upstream: `forwarding.ts` keeps them here, with what they were made from. */
  forwardedLines = "";
  forwardedFacts: object | undefined = undefined;
  forwardedRules: object | undefined = undefined;
  forwardedMinorVersion = -1;
  /** What a log tells of them, which keeps it here. */
  logged: LoggedFields | undefined = undefined;
  /** What `traceparent` says, once that was asked. */
  traceParent: TraceParent | "none" | undefined = undefined;

  constructor(section: FieldSection) {
    this.section = section;
  }
}

/** Reads the fields a proxy acts upon. The framing rules are those of RFC 9112 §6.3, without its leniencies. */
export function interpretRequestFields(section: FieldSection): RequestFields | RequestFault {
  const fields = new RequestFields(section);
  const { lines } = section;
  let chunked = false;
  let expectation: string | undefined;
  let protocols: string | undefined;
  for (let index = 0; index < lines.length; index += lineStride) {
    switch (lines[index + 2]) {
      case hostField:
        if (fields.host !== undefined) return "host-repeated";
        fields.host = section.value(index);
        if (!isAuthority(fields.host)) return "host";
        break;
      case contentLengthField:
        if (fields.contentLength !== -1) return "content-length-repeated";
        fields.contentLength = parseContentLength(section.framingValue(index));
        if (fields.contentLength === -1) return "content-length";
        break;
      case transferEncodingField: {
        if (chunked) return "transfer-encoding";
        const fault = transferEncodingFault(section.framingValue(index));
        if (fault !== undefined) return fault;
        chunked = true;
        break;
      }
      case connectionField: {
        const fault = readConnectionOptions(section.value(index), fields.connection);
        if (fault !== undefined) return fault;
        break;
      }
      case expectField:
        if (expectation !== undefined) return "expectation";
        expectation = section.value(index);
        break;
      case proxyConnectionField:
        readProxyConnection(section.value(index), fields.connection);
        break;
      case upgradeField:
        protocols = protocols === undefined ? section.value(index) : `${protocols},${section.value(index)}`;
        break;
      case viaField:
        fields.via = fields.via === undefined ? section.value(index) : `${fields.via}, ${section.value(index)}`;
        break;
      case teField:
        fields.acceptsTrailers ||= acceptsTrailers(section.value(index));
        break;
    }
  }
  if (chunked && fields.contentLength !== -1) return "length-and-coding";
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") return "expectation";
  if (chunked) fields.framing = chunkedBody;
  else if (fields.contentLength > 0) fields.framing = { kind: "length", bytes: fields.contentLength };
  fields.expectsContinue = expectation !== undefined && fields.framing.kind !== "none";
  if (protocols !== undefined && fields.connection.upgrade) fields.upgrade = acceptedProtocol(protocols);
  if (fields.upgrade !== undefined && fields.framing.kind !== "none") return "upgrade-body";
  return fields;
}

/** Whether a TE field lists `trailers`. */
export function acceptsTrailers(te: string): boolean {
  return listElements(te).some((coding) => coding.toLowerCase() === "trailers");
}
