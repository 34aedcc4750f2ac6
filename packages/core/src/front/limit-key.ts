import { hash } from "node:crypto";
import { addressKey } from "../affinity/address-key.ts";
import { soleValue } from "../affinity/pair-list.ts";
import type { RequestHead } from "../http/request-head.ts";
import { LbError } from "../model/errors.ts";
import type { RateLimitKey } from "../options/rate-limit-options.ts";

/** One network is one client: a /64 is what a single line gets, and has addresses without end. */
const network = { ipv4PrefixLength: 32, ipv6PrefixLength: 64 };
/** Keys beyond that are kept as their digests, so that a table of them has a size. */
const maxKeyLength = 64;

/** Whose request it is. Undefined: nobody's that is known. */
export type LimitKey = (request: RequestHead) => string | undefined;

/** `failed`: a function of the user's threw, or returned what is no text; the request has no key then. */
export function limitKey(key: RateLimitKey, failed: (error: LbError) => void): LimitKey {
  if (key === "address") {
    return ({ clientAddress }) => (clientAddress === "" ? undefined : addressKey(clientAddress, network));
  }
  const keyOf = textOf(key, failed);
  return (request) => {
    const text = keyOf(request);
    if (text === undefined || text === "") return undefined;
    return text.length <= maxKeyLength ? text : hash("sha256", text, "base64");
  };
}

function textOf(key: Exclude<RateLimitKey, "address">, failed: (error: LbError) => void): LimitKey {
  if (typeof key === "function") {
    return (request) => {
      let text: unknown;
      try {
        text = key(request);
      } catch (cause) {
        failed(
          new LbError("LB_RATE_LIMIT_KEY", "The rate limit's key function threw: return undefined instead", { cause }),
        );
        return undefined;
      }
      if (text === undefined || typeof text === "string") return text;
      const what = text === null ? "null" : `a value of type ${typeof text}`;
      failed(
        new LbError(
          "LB_RATE_LIMIT_KEY",
          `The rate limit's key function returned ${what}: return a string or undefined`,
        ),
      );
      return undefined;
    };
  }
  if ("header" in key) {
    const name = key.header.toLowerCase();
    return (request) => request.header(name);
  }
  return (request) => {
    const cookies = request.header("cookie");
    return cookies === undefined ? undefined : soleValue(cookies, key.cookie, ";");
  };
}
