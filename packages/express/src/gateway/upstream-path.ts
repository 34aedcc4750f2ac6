import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import type { GatewaySettings } from "./options.ts";

/**
 * The target of the request that goes upstream, byte for byte as received but for a mount's prefix and a rewriting: dots
 * and slashes, encoded or not, mean to the target's app what they mean to it, and nothing to us.
 *
 * @throws GatewayError `LB_RULE` when a function of the user's throws or returns what is no path
 */
export function upstreamPath(call: Call, path: GatewaySettings["path"]): string {
  if (path === "original") return originForm(call.originalTarget);
  const stripped = originForm(call.target);
  if (path === "stripped") return stripped;
  let rewritten: unknown;
  try {
    rewritten = path(stripped, call.request);
  } catch (cause) {
    throw new GatewayError("LB_RULE", 'The function in the option "path" threw', { cause });
  }
  // What is left of a prefix that was cut off may be nothing, or a query alone.
  const whole = typeof rewritten === "string" && /^(\?|$)/.test(rewritten) ? `/${rewritten}` : rewritten;
  if (typeof whole === "string" && /^\/[\x21-\xff]*$/.test(whole)) return whole;
  throw new GatewayError(
    "LB_RULE",
    'The function in the option "path" returned no path: it begins with "/", without spaces',
  );
}

/** Without scheme and authority, which an absolute-form target has (RFC 9112 §3.2.2). */
function originForm(target: string): string {
  if (target.charCodeAt(0) === 0x2f || target === "*") return target;
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.startsWith("/") ? path : `/${path}`;
}
