import { isToken, listElements } from "./octets.ts";
import type { MessageFault } from "./rejection.ts";

/** 2^53 has 16 digits; more digits than that are leading zeros at best, and somebody's parser wraps. */
const maxLengthDigits = 16;

/** The number of a Content-Length value, or -1 if it is anything but one plain decimal number up to 2^53. */
export function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > maxLengthDigits) return -1;
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : -1;
}

/** Undefined for `chunked`, the one coding that is relayed; what is wrong with any other Transfer-Encoding. */
export function transferEncodingFault(value: string): MessageFault | undefined {
  if (value === "chunked" || value.toLowerCase() === "chunked") return undefined;
  // Only a well-formed list that applies chunked once, last, has an end that can be found: it is not implemented.
  // Any other leaves the length of the body in doubt.
  const codings = listElements(value.toLowerCase());
  const wellFormed = codings.every(isToken) && codings.length === value.split(",").length;
  return wellFormed && codings.indexOf("chunked") === codings.length - 1 ? "transfer-coding" : "transfer-encoding";
}
