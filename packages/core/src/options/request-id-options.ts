import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { defaultsOr, options, yesOrNo } from "./validation.ts";

/** By which a request's traces are found again, here and in the app's own log. */
export interface RequestIdSettings {
  /** The field by which the app gets it, and by which `trustedProxies` may give it. Default `"X-Request-Id"`. */
  readonly header: string;
  /** The client gets it, too, in the same field of the response. Default false. */
  readonly response: boolean;
}

export type RequestIdOptions = Partial<RequestIdSettings>;

const remedy = 'give a field name that ends with "-Id", e.g. "X-Request-Id"';

const given = options({
  header: option(
    v.pipe(v.string(remedy), v.regex(/^[A-Za-z][A-Za-z\d-]{0,60}-id$/i, remedy)),
    "X-Request-Id",
    "the field by which the app gets it, and by which `trustedProxies` may give it",
  ),
  response: option(yesOrNo(), false, "the client gets it, too, in the same field of the response"),
} satisfies EntriesOf<RequestIdOptions>);

/** `true` is all defaults. */
export const requestIdSchema = defaultsOr<RequestIdOptions, RequestIdSettings>(given);

const defaults: RequestIdSettings = v.parse(given, {}) as RequestIdSettings;

/** Who writes an access log has something to write there. */
export function requestIdsOf({
  requestId,
  accessLog,
}: {
  readonly requestId?: RequestIdSettings | false | undefined;
  readonly accessLog: unknown;
}): RequestIdSettings | false {
  return requestId ?? (accessLog === false ? false : defaults);
}
