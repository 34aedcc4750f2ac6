import { isIP } from "node:net";
import { hostIn } from "../http/host-list.ts";
import type { Clock } from "../model/clock.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import { Intent, type Meant } from "./intent.ts";
import { type Shown, type VisitorSecrets, Visitors } from "./visitors.ts";

/** A request as far as it decides whether it may pass. */
export interface AskedRequest extends Meant, Omit<Shown, "token" | "cookieName"> {
  readonly method: string;
  readonly target: string;
}

export type Verdict =
  | { readonly kind: "passes"; readonly url: URL; readonly by: string }
  /** He opened the link: is to have the cookie, and to see the page without what stands in the link. */
  | { readonly kind: "signs-in"; readonly cookie: string }
  | Refused;

export interface Refused {
  readonly kind: "refused";
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly why: string | undefined;
  /** Who was let in, and may not do this. */
  readonly by: string | undefined;
}

/** What whoever looks was given by a process: by another one that has it he is not asked again. Secret. */
export interface AdminSecrets extends VisitorSecrets {
  readonly csrfToken: string | null;
}

/** Numbers alone, for programs that cannot open links. */
const openPath = "/metrics";
/** Where links lead. */
const linkPath = "/";
const signInRemedy = "open the link that `lb dashboard` prints, or give its token as Authorization: Bearer";

/** Stands before everything that the admin listener answers. */
export class AdminGuard {
  readonly visitors: Visitors;
  readonly intent: Intent;
  readonly #settings: Pick<AdminSettings, "place" | "allowedHosts" | "tls">;
  readonly #takesPosts: (path: string) => boolean;

  /** `takesPosts`: what is at that path is changed, and not looked at; `before`: of another process. */
  constructor(
    settings: AdminSettings,
    clock: Clock,
    takesPosts: (path: string) => boolean,
    before?: AdminSecrets | undefined,
  ) {
    this.#settings = settings;
    this.#takesPosts = takesPosts;
    this.visitors = new Visitors(settings, clock, before);
    const scheme = settings.tls === undefined ? "http" : "https";
    this.intent = new Intent({ actions: settings.actions, scheme }, before?.csrfToken);
  }

  get secrets(): AdminSecrets {
    const { session, linkToken } = this.visitors;
    return { session, linkToken, csrfToken: this.intent.csrfToken };
  }

  judge(asked: AskedRequest): Verdict {
    const { method, target, host } = asked;
    if (!this.#isOurs(host)) return refused(421);
    // In absolute form it could name another host than the field does.
    if (!target.startsWith("/") || !URL.canParse(target, base)) return refused(400);
    const url = new URL(target, base);
    const posted = this.#takesPosts(url.pathname);
    if (posted ? method !== "POST" : method !== "GET" && method !== "HEAD") {
      return refused(405, { fields: { allow: posted ? "POST" : "GET, HEAD" } });
    }
    if (url.pathname === openPath && this.visitors.linkToken !== undefined)
      return { kind: "passes", url, by: "anyone" };
    const token = (url.pathname === linkPath && url.searchParams.get("token")) || undefined;
    const admission = this.visitors.judge({ ...asked, token, cookieName: cookieName(host) });
    switch (admission.kind) {
      case "out":
        return refused(admission.status, {
          fields: admission.fields,
          ...(this.visitors.linkToken !== undefined && { why: signInRemedy }),
        });
      case "signs-in":
        return { kind: "signs-in", cookie: `${admission.cookie}; ${this.#cookieRules}` };
      case "in": {
        const refusal = posted ? this.intent.refusal(asked) : undefined;
        if (refusal !== undefined) return refused(refusal.status, { why: refusal.why, by: admission.by });
        return { kind: "passes", url, by: admission.by };
      }
    }
  }

  /** Over TLS no page without it gets the cookie, of whichever port. */
  get #cookieRules(): string {
    return `Path=/; HttpOnly; SameSite=Strict${this.#settings.tls === undefined ? "" : "; Secure"}`;
  }

  /**
   * A page of another site can have its own name lead here (DNS rebinding), but then that name is what browsers ask for: an address
   * is nobody's name. No browser reaches a Unix socket.
   */
  #isOurs(field: string | undefined): boolean {
    const { place, allowedHosts } = this.#settings;
    if (place.kind === "unix") return true;
    if (field === undefined) return false;
    const host = hostIn(field);
    if (host === "localhost" || host === place.host.toLowerCase() || allowedHosts.has(host)) return true;
    return isIP(host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host) !== 0;
  }
}

const base = "http://lb.invalid";

/** Two clusters of one machine have one cookie each. */
function cookieName(host: string | undefined): string {
  return `lb-admin-${/:(\d+)$/.exec(host ?? "")?.[1] ?? "80"}`;
}

function refused(
  status: number,
  {
    fields = {},
    why,
    by,
  }: { readonly fields?: Readonly<Record<string, string>>; readonly why?: string; readonly by?: string } = {},
): Refused {
  return { kind: "refused", status, fields, why, by };
}
