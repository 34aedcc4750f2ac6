import { OptionError } from "@lb/core";
import { options, parseOptions, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";
import type { Answer, Guard } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";

export interface HttpsRedirectOptions {
  /** The port that speaks TLS. Default 443. */
  readonly port?: number;
  /** The host to go to, whichever the request names. */
  readonly host?: string;
  /**
   * Hosts that a request may name, and is then sent to; `"any"`: whatever the client wrote there, which caches may give
   * to others. To be given where `host` is not.
   */
  readonly hosts?: readonly string[] | "any";
  /** 308 keeps method and body; 301 is what old clients know. Default 308. */
  readonly status?: 301 | 302 | 307 | 308;
}

const hostRemedy = 'give a host without scheme, port and path, e.g. "app.example"';
const hostPattern = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)$/;

const hostName = v.pipe(v.string(hostRemedy), v.regex(hostPattern, hostRemedy));

const schema = options({
  port: v.optional(wholeNumber(1, 65_535), 443),
  host: v.optional(hostName),
  hosts: v.optional(
    v.union(
      [
        v.literal("any"),
        v.pipe(
          v.array(hostName),
          v.transform((list): ReadonlySet<string> => new Set(list.map((name) => name.toLowerCase()))),
        ),
      ],
      'give a list of hosts, e.g. ["app.example"], or "any"',
    ),
  ),
  status: v.optional(v.picklist([301, 302, 307, 308], "use 301, 302, 307 or 308"), 308),
});

/**
 * Whether a request came by TLS is what the framework says, so a proxy in front counts as far as `trust proxy`
 * (`trustProxy`) has it.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function httpsRedirectGuard(input: HttpsRedirectOptions = {}): Guard {
  const { port, host, hosts, status } = parseOptions(schema, input);
  if (host === undefined && hosts === undefined) {
    const remedy = 'say where to go: host: "app.example", or hosts: ["app.example", "www.app.example"]';
    throw new OptionError("hosts", hosts, remedy);
  }
  return (call): Answer | undefined => {
    if (call.encrypted) return undefined;
    const named = host ?? hostOf(call.request.headers.host, hosts!);
    const { originalTarget } = call;
    if (named === undefined || !originalTarget.startsWith("/")) {
      return errorAnswer(call, new GatewayError("LB_REQUEST_INVALID", "The request names no host to redirect to"));
    }
    const location = `https://${named}${port === 443 ? "" : `:${port}`}${originalTarget}`;
    return { status, headers: { location, "content-type": "text/plain; charset=utf-8" }, body: `${location}\n` };
  };
}

function hostOf(value: string | undefined, hosts: ReadonlySet<string> | "any"): string | undefined {
  const host = value?.replace(/:\d{1,5}$/, "");
  if (host === undefined || !hostPattern.test(host)) return undefined;
  return hosts === "any" || hosts.has(host.toLowerCase()) ? host : undefined;
}
