import {
  clientCertField,
  connectionField,
  expectField,
  fieldKind,
  forwardedForField,
  forwardedHostField,
  forwardedOtherField,
  forwardedPortField,
  forwardedProtoField,
  hopByHopField,
  otherField,
  proxyConnectionField,
  realIpField,
  teField,
  trailerField,
  transferEncodingField,
  unforwardedField,
  upgradeField,
} from "./field-kind.ts";

/**
 * What becomes of a request's field on its way on, for those who have fields by name and not as bytes:
 * - `passes`;
 * - `ends-here`: it concerns one connection (RFC 9110 §7.6.1), or what we do anew;
 * - `if-trusted`: it passes if a proxy of ours sent it;
 * - `never`: it is not believed, whoever sent it.
 */
export type FieldWay = "passes" | "ends-here" | "if-trusted" | "never";

/** Names are few and the same again; whoever sends others is answered all the same. */
const maxRemembered = 1_024;
const remembered = new Map<string, number>();

/** `name` is in any case. */
export function wayOf(name: string): FieldWay {
  return wayOfKind(kindOf(name));
}

/** Who says it, and whether clients were asked for certificates on that connection. */
export interface Saying {
  readonly trusted: boolean;
  readonly asksClients?: boolean;
}

/**
 * Whether the app of an instance must not see the field on a connection that is the client's own: what is for proxies, and
 * what is said of clients by somebody who is not `trusted`. What concerns the connection is then the app's own affair.
 * `name` is in any case.
 */
export function isWithheld(name: string, { trusted, asksClients = false }: Saying): boolean {
  const kind = kindOf(name);
  switch (kind) {
    case hopByHopField:
    case proxyConnectionField:
    case unforwardedField:
      return true;
    case clientCertField:
      return asksClients || !trusted;
    default:
      return !trusted && wayOfKind(kind) === "if-trusted";
  }
}

function kindOf(name: string): number {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name, "latin1");
  const kind = bytes.length === 0 ? otherField : fieldKind(bytes, 0, bytes.length);
  if (remembered.size < maxRemembered) remembered.set(name, kind);
  return kind;
}

/** Whether the field concerns one connection alone, in either direction. `name` is in any case. */
export function endsHere(name: string): boolean {
  return wayOf(name) === "ends-here";
}

/** Of a field by its kind. Some of these kinds have more to them where a field is known whole: see `forwarding.ts`. */
export function wayOfKind(kind: number): FieldWay {
  switch (kind) {
    case connectionField:
    case teField:
    case transferEncodingField:
    case upgradeField:
    case hopByHopField:
    case proxyConnectionField:
      return "ends-here";
    case forwardedForField:
    case forwardedProtoField:
    case forwardedHostField:
    case forwardedPortField:
    case forwardedOtherField:
    case realIpField:
    case clientCertField:
      return "if-trusted";
    case expectField:
    case trailerField:
    case unforwardedField:
      return "never";
    default:
      return "passes";
  }
}
