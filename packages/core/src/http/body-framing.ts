/** How the end of a message body is found (RFC 9112 §6.3). */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length" /** Payload bytes, at least 1. */; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { /** Ends with the connection; responses only. */ readonly kind: "close" };

export const noBody: BodyFraming = Object.freeze({ kind: "none" });
export const chunkedBody: BodyFraming = Object.freeze({ kind: "chunked" });
export const closeDelimitedBody: BodyFraming = Object.freeze({ kind: "close" });
