import type { KeyObject } from "node:crypto";
import { publicPart, signed } from "./certificate.ts";
import { context, type Der, integer, objectIdentifier, sequence, set } from "./der.ts";
import { subjectAltName } from "./extensions.ts";
import type { SubjectName } from "./names.ts";

/** Asks for a certificate for these names and this key, which signs it (PKCS #10, RFC 2986). */
export function certificateRequest(names: readonly SubjectName[], key: KeyObject): Der {
  const wanted = sequence(objectIdentifier("1.2.840.113549.1.9.14"), set(sequence(subjectAltName(names))));
  return signed(sequence(integer(0), sequence(), publicPart(key), context(0, wanted)), key);
}
