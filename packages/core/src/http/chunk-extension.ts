import { CR, HT, SP, tokenFold, valueOctet } from "./octets.ts";

/** Where a reader stands within `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 §7.1.1, without BWS). */
export type ExtensionState = "name-start" | "name" | "value-start" | "token" | "quoted" | "escape" | "quoted-end";

/** The state behind `octet`; `"end"` for the CR that ends the extensions; undefined if they are malformed. */
export function nextExtensionState(state: ExtensionState, octet: number): ExtensionState | "end" | undefined {
  switch (state) {
    case "name-start":
      return tokenFold[octet] !== 0 ? "name" : undefined;
    case "name":
      if (tokenFold[octet] !== 0) return "name";
      return octet === equals ? "value-start" : afterValue(octet);
    case "value-start":
      if (octet === quote) return "quoted";
      return tokenFold[octet] !== 0 ? "token" : undefined;
    case "token":
      return tokenFold[octet] !== 0 ? "token" : afterValue(octet);
    case "quoted":
      if (octet === quote) return "quoted-end";
      if (octet === backslash) return "escape";
      return valueOctet[octet] === 1 ? "quoted" : undefined;
    case "escape":
      return octet === HT || (octet >= SP && valueOctet[octet] === 1) ? "quoted" : undefined;
    case "quoted-end":
      return afterValue(octet);
  }
}

const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;
const semicolon = 0x3b;

function afterValue(octet: number): ExtensionState | "end" | undefined {
  if (octet === CR) return "end";
  return octet === semicolon ? "name-start" : undefined;
}
