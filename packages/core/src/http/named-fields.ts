import {
  connectionField,
  expectField,
  fieldKind,
  forwardedForField,
  forwardedHostField,
  forwardedOtherField,
  forwardedPortField,
  forwardedProtoField,
  hopByHopField,
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
const remembered = new Map<string, FieldWay>();

/** @param name in lower case */
export function wayOf(name: string): FieldWay {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name, "latin1");
  const way = bytes.length === 0 ? "passes" : wayOfKind(fieldKind(bytes, 0, bytes.length));
  if (remembered.size < maxRemembered) remembered.set(name, way);
  return way;
}

/** Whether the field concerns one connection alone, in either direction. `name` is in lower case. */
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
      return "if-trusted";
    case expectField:
    case trailerField:
    case unforwardedField:
      return "never";
    default:
      return "passes";
  }
}
