import type { SecurityHeaderSettings } from "../options/security-header-options.ts";

/** A field that responses get if they have none of that name. */
export interface SecurityField {
  readonly name: string;
  readonly lowerName: string;
  readonly value: string;
  /** Only where the client came over TLS; elsewhere browsers ignore it (RFC 6797 §8.1). */
  readonly onlyEncrypted: boolean;
}

export function securityFields(settings: SecurityHeaderSettings): readonly SecurityField[] {
  const { hsts, contentTypeOptions, frameOptions, referrerPolicy } = settings;
  const fields: SecurityField[] = [];
  const add = (name: string, value: string, onlyEncrypted = false) =>
    fields.push({ name, lowerName: name.toLowerCase(), value, onlyEncrypted });
  if (hsts !== false) {
    const { maxAgeSeconds, includeSubDomains, preload } = hsts;
    const more = `${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
    add("Strict-Transport-Security", `max-age=${maxAgeSeconds}${more}`, true);
  }
  if (contentTypeOptions) add("X-Content-Type-Options", "nosniff");
  if (frameOptions !== false) add("X-Frame-Options", frameOptions);
  if (referrerPolicy !== false) add("Referrer-Policy", referrerPolicy);
  return fields;
}
