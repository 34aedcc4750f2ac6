import { callback, option, options } from "@lb/core/kit";
import * as v from "valibot";

/** What becomes of the attributes of targets' cookies that say where those go. */
export interface CookieOptions<Request = unknown> {
  /** `"mounted"`: the path under which clients find the target, so that they send its cookies there and nowhere else. Or a function. */
  readonly path?: "mounted" | ((path: string, request: Request) => string);
  /** `"dropped"`: a cookie goes to the host that the client asked, as if it had no Domain. Or a function, whose undefined drops it. */
  readonly domain?: "dropped" | ((domain: string, request: Request) => string | undefined);
}

export const cookiesSchema = options({
  path: option(
    v.optional(
      v.union(
        [v.literal("mounted"), callback<(path: string, request: unknown) => string>("give a function")],
        'give "mounted" or a function that returns a path',
      ),
    ),
    undefined,
    '`"mounted"`: under the path where clients find the target; or a function',
    { otherwise: "kept" },
  ),
  domain: option(
    v.optional(
      v.union(
        [v.literal("dropped"), callback<(domain: string, request: unknown) => string | undefined>("give a function")],
        'give "dropped" or a function that returns a domain or undefined',
      ),
    ),
    undefined,
    '`"dropped"`: cookies go to the host that the client asked; or a function, whose `undefined` drops it',
    { otherwise: "kept" },
  ),
});
