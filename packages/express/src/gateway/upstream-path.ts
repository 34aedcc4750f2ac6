import { mayClimb } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { after } from "./after.ts";
import type { PathSetting } from "./path-options.ts";
import { climbsOut } from "./upstream-request.ts";
import { resultOf } from "./user-function.ts";

/** The path and query of a request that goes upstream, but for a target's own base path. */
export interface UpstreamPath {
  readonly path: string;
  /** What in it comes from a template, and stands before what the client asked for. */
  readonly prefix: string;
  /** The client asked for the mount's prefix itself, without a slash, so that a base path stands without one too. */
  readonly isBare: boolean;
}

/**
 * The target of the request that goes upstream, byte for byte as received but for a mount's prefix and a rewriting: dots
 * and slashes, encoded or not, mean to the target's app what they mean to it, and nothing to us.
 *
 * @throws GatewayError, or rejects with one: `LB_RULE` when a function of the user's throws or returns what is no path
 */
export function upstreamPath(call: Call, setting: PathSetting): UpstreamPath | PromiseLike<UpstreamPath> {
  if (setting.kind === "original") return { path: originForm(call.originalTarget), prefix: "", isBare: false };
  const stripped = originForm(call.target);
  switch (setting.kind) {
    case "stripped":
      return { path: stripped, prefix: "", isBare: isBare(call, stripped) };
    case "template": {
      const prefix = setting.template(call.parameters);
      if (prefix !== "" && mayClimb(stripped)) throw climbsOut();
      if (stripped === "*" || prefix === "") return { path: stripped, prefix, isBare: isBare(call, stripped) };
      return { path: prefix + stripped.slice(isBare(call, stripped) ? 1 : 0), prefix, isBare: false };
    }
    case "function":
      return after(
        resultOf('The function in the option "path"', () => setting.rewrite(stripped, call.frameworkRequest)),
        (made) => {
          const path = checked(made);
          return { path, prefix: "", isBare: path === stripped && isBare(call, stripped) };
        },
      );
  }
}

/** Frameworks make a slash of what is left of `/api`, and of `/api/`. */
function isBare(call: Call, stripped: string): boolean {
  if (stripped !== "/" && !stripped.startsWith("/?")) return false;
  return call.mountPath !== "" && !call.originalTarget.split("?", 1)[0]!.endsWith("/");
}

function checked(made: unknown): string {
  // What is left of a prefix that was cut off may be nothing, or a query alone.
  const whole = typeof made === "string" && /^(\?|$)/.test(made) ? `/${made}` : made;
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
