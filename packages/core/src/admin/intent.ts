import { randomBytes } from "node:crypto";
import { KnownToken } from "../http/known-users.ts";

/** What a request shows of whether who sends it means it. */
export interface Meant {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** As Sec-Fetch-Site. */
  readonly site: string | undefined;
  /** As X-Lb-Csrf. */
  readonly csrf: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLength: string | undefined;
}

/** Longest body of a request. */
export const maxBodyBytes = 8_192;

/**
 * Whether somebody who is let in means what his browser asks for: a page of another site can have it send a form, with his cookie
 * or his password, but not with a token that it cannot read, nor as JSON, nor with our own origin.
 */
export class Intent {
  /** What each request that changes something has to have; null: none may. */
  readonly csrfToken: string | null;
  readonly #known: KnownToken | undefined;
  readonly #scheme: "http" | "https";

  /** `before`: of another process, whose pages are open. */
  constructor(
    { actions, scheme }: { readonly actions: boolean; readonly scheme: "http" | "https" },
    before?: string | null,
  ) {
    this.csrfToken = actions ? (before ?? randomBytes(24).toString("base64url")) : null;
    this.#known = this.csrfToken === null ? undefined : new KnownToken(this.csrfToken);
    this.#scheme = scheme;
  }

  /** Why not; undefined: he does. */
  refusal(meant: Meant): { readonly status: number; readonly why: string } | undefined {
    const { host, origin, site, csrf, contentType = "", contentEncoding, contentLength = "0" } = meant;
    if (this.#known === undefined) return no(403, "nothing may be changed here: the option admin.actions is off");
    if (site !== undefined && site !== "same-origin") return no(403, "another site's page asks");
    if (origin !== undefined && origin !== `${this.#scheme}://${host?.toLowerCase()}`)
      return no(403, "another origin asks");
    if (csrf === undefined || !this.#known.knows(`Bearer ${csrf}`)) {
      return no(403, "the field X-Lb-Csrf has to have the csrfToken of /api/session");
    }
    if (!/^application\/json *(;|$)/i.test(contentType) || contentEncoding !== undefined) {
      return no(415, "give JSON, as application/json");
    }
    if (Number(contentLength) > maxBodyBytes) return no(413, `give ${maxBodyBytes} bytes at most`);
    return undefined;
  }
}

function no(status: number, why: string) {
  return { status, why };
}
