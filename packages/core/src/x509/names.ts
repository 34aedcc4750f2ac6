import { contextPrimitive, type Der } from "./der.ts";

/** Whom a certificate is for. */
export type SubjectName =
  | { readonly kind: "dns"; readonly name: string }
  /** Four bytes or sixteen. */
  | { readonly kind: "ip"; readonly bytes: Uint8Array };

/** A GeneralName (RFC 5280 §4.2.1.6). */
export function generalName(name: SubjectName): Der {
  return name.kind === "dns" ? contextPrimitive(2, Buffer.from(name.name, "latin1")) : contextPrimitive(7, name.bytes);
}
