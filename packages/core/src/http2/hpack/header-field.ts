import { tokenFold, valueOctet } from "../../http/octets.ts";

/** What a field is in a request of HTTP/2 (RFC 9113 §8.2, §8.3). */
export const fieldMeaning = {
  /** Its name or value has an octet that must not be there: the message is malformed. */
  invalid: 0,
  /** It passes as it is. */
  regular: 1,
  cookie: 2,
  host: 3,
  contentLength: 4,
  te: 5,
  /** Of an opening handshake of a WebSocket in HTTP/1.1. */
  webSocketKey: 6,
  /** It concerns one connection, for which HTTP/2 has frames (§8.2.2). */
  connectionSpecific: 7,
  /** Pseudo-header fields, from here on. */
  method: 8,
  scheme: 9,
  authority: 10,
  path: 11,
  protocol: 12,
  unknownPseudo: 13,
} as const;
export type FieldMeaning = (typeof fieldMeaning)[keyof typeof fieldMeaning];

const meanings: ReadonlyMap<string, FieldMeaning> = new Map<string, FieldMeaning>([
  [":method", fieldMeaning.method],
  [":scheme", fieldMeaning.scheme],
  [":authority", fieldMeaning.authority],
  [":path", fieldMeaning.path],
  [":protocol", fieldMeaning.protocol],
  ["cookie", fieldMeaning.cookie],
  ["host", fieldMeaning.host],
  ["content-length", fieldMeaning.contentLength],
  ["te", fieldMeaning.te],
  ["sec-websocket-key", fieldMeaning.webSocketKey],
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map(
    (name) => [name, fieldMeaning.connectionSpecific] as const,
  ),
]);

/** A field as it stands in a table or a list. What it means is found out once, however often it is named. */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  readonly meaning: FieldMeaning;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.meaning = meaningOf(name, value);
  }

  /** What it counts for in tables and lists (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  get size(): number {
    return this.name.length + this.value.length + 32;
  }
}

const colon = 0x3a;

function meaningOf(name: string, value: string): FieldMeaning {
  if (!isValue(value)) return fieldMeaning.invalid;
  const known = meanings.get(name);
  if (known !== undefined) return known;
  if (name.charCodeAt(0) === colon) return fieldMeaning.unknownPseudo;
  return isLowerCaseToken(name) ? fieldMeaning.regular : fieldMeaning.invalid;
}

function isLowerCaseToken(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (tokenFold[code] !== code) return false;
  }
  return name !== "";
}

/** No control octets, and no white space around it (RFC 9113 §8.2.1). */
function isValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (valueOctet[value.charCodeAt(at)] !== 1) return false;
  return value === "" || !(isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(value.length - 1)));
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
