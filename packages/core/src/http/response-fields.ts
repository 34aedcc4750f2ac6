import { type BodyFraming, chunkedBody, closeDelimitedBody, noBody } from "./body-framing.ts";
import { type ConnectionOptions, readConnectionOptions, readProxyConnection } from "./connection-options.ts";
import {
  connectionField,
  contentLengthField,
  dateField,
  proxyConnectionField,
  transferEncodingField,
  upgradeField,
} from "./field-kind.ts";
import { type FieldSection, lineStride } from "./field-section.ts";
import { parseContentLength, transferEncodingFault } from "./framing-fields.ts";
import type { ResponseFault } from "./rejection.ts";

/** What the header lines of a response say, before status and method have their word. */
export interface ResponseFields {
  readonly section: FieldSection;
  readonly connection: ConnectionOptions;
  /** The declared length, 0 included; -1 if none is declared. */
  contentLength: number;
  /** Transfer-Encoding: chunked is declared. */
  chunked: boolean;
  /** The Upgrade value in lower case. */
  upgrade: string | undefined;
  /** It says when it was made. */
  dated: boolean;
}

export function interpretResponseFields(section: FieldSection): ResponseFields | ResponseFault {
  const connection = { close: false, keepAlive: false, upgrade: false, nominated: undefined };
  const fields: ResponseFields = {
    section,
    connection,
    contentLength: -1,
    chunked: false,
    upgrade: undefined,
    dated: false,
  };
  const { lines } = section;
  for (let index = 0; index < lines.length; index += lineStride) {
    switch (lines[index + 2]) {
      case contentLengthField:
        if (fields.contentLength !== -1) return "content-length-repeated";
        fields.contentLength = parseContentLength(section.framingValue(index));
        if (fields.contentLength === -1) return "content-length";
        break;
      case transferEncodingField: {
        const fault = fields.chunked ? "transfer-encoding" : transferEncodingFault(section.framingValue(index));
        if (fault !== undefined) return fault;
        fields.chunked = true;
        break;
      }
      case connectionField: {
        const fault = readConnectionOptions(section.value(index), connection);
        if (fault !== undefined) return fault;
        break;
      }
      case proxyConnectionField:
        readProxyConnection(section.value(index), connection);
        break;
      case dateField:
        fields.dated = true;
        break;
      case upgradeField:
        fields.upgrade =
          (fields.upgrade === undefined ? "" : `${fields.upgrade}, `) + section.value(index).toLowerCase();
        break;
    }
  }
  return fields.chunked && fields.contentLength !== -1 ? "length-and-coding" : fields;
}

/** Where the body ends (RFC 9112 §6.3, without its leniencies). `toHead`: the response answers a HEAD request. */
export function responseFraming(fields: ResponseFields, status: number, toHead: boolean): BodyFraming {
  if (toHead || !mayHaveBody(status) || fields.contentLength === 0) return noBody;
  if (fields.chunked) return chunkedBody;
  return fields.contentLength === -1 ? closeDelimitedBody : { kind: "length", bytes: fields.contentLength };
}

function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}
