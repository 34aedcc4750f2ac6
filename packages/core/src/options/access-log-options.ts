import * as v from "valibot";
import { type AccessField, type AccessRecord, accessFields } from "../model/access-record.ts";
import { type EntriesOf, option } from "./option.ts";
import { callback, defaultsOr, oneOf, options, share, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Makes a line of a request, without its end. */
export type AccessFormat = (record: AccessRecord) => string;

/** What is written of each request, and where. */
export interface AccessLogOptions {
  /**
   * `"json"`, the default; `"combined"`, as nginx and Apache write it; or a function that makes a line of a record. It is called in
   * the primary.
   */
  readonly format?: "json" | "combined" | AccessFormat;
  /** A file, which is appended to; `"stdout"`, the default; or a function that takes the lines. */
  readonly to?: string | ((line: string) => void);
  /**
   * `"failures"`: requests that failed (5xx, or cut), and what was refused; `"refusals"`: what was refused in place of the app's answer, as
   * nginx has in its `error_log`, each with its `reason`. Default `"all"`.
   */
  readonly only?: "all" | "failures" | "refusals";
  /** Which share of the requests: 0.01 is one of a hundred. Those that failed (5xx, or cut) are told in any case. Default 1. */
  readonly sample?: number;
  /** Query parameters whose values are not told, whatever their case. Default: those whose names say that they are secrets. */
  readonly redact?: readonly string[];
  /** When the file is put aside for a new one. Default false: others see to that, and a file that was renamed is made anew. */
  readonly rotate?: boolean | RotationOptions;
  /** Of `"json"`: which fields, in which order. Default: all. */
  readonly fields?: readonly AccessField[];
}

/** The file is renamed to `path.1`, that one to `path.2`, and so on. */
export interface RotationSettings {
  /** When so much is in it. Default 104,857,600. */
  readonly maxBytes: number;
  /** And with the first line of each hour, or day, of UTC. Default false. */
  readonly every: "hour" | "day" | false;
  /** So many are kept, with the one that is written to. Default 10. */
  readonly files: number;
  /** Those that are put aside are compressed. Default false. */
  readonly gzip: boolean;
}

export type RotationOptions = Partial<RotationSettings>;

export interface AccessLogSettings {
  readonly rotate: RotationSettings | false;
  readonly format: "json" | "combined" | AccessFormat;
  readonly to: string | ((line: string) => void);
  readonly only: "all" | "failures" | "refusals";
  readonly sample: number;
  readonly redact: readonly string[];
  readonly fields: readonly AccessField[];
}

const secretParameters = [
  ...["access_token", "api_key", "apikey", "auth", "client_secret", "id_token", "jwt", "password", "passwd", "pwd"],
  ...["refresh_token", "secret", "sig", "signature", "token", "x-amz-security-token", "x-amz-signature"],
];

const place = v.pipe(v.string('give a file, or "stdout"'), v.minLength(1, 'give a file, or "stdout"'));

const rotation = options({
  maxBytes: option(wholeNumber(1_000), 104_857_600, "when so much is in it"),
  every: option(
    v.union([v.literal(false), oneOf(["hour", "day"])], 'give "hour", "day" or false'),
    false,
    'and with the first line of each `"hour"` or `"day"` of UTC',
  ),
  files: option(wholeNumber(1, 1_000), 10, "how many are kept, with the one that is written to"),
  gzip: option(yesOrNo(), false, "those that are put aside are compressed"),
} satisfies EntriesOf<RotationOptions>);

const group = options({
  format: option(
    v.union(
      [oneOf(["json", "combined"]), callback<AccessFormat>("")],
      'give "json", "combined", or a function that makes a line of a record',
    ),
    "json",
    '`"json"`, `"combined"` as nginx and Apache write it, or a function that makes a line of a record',
    {
      flag: {
        name: "--access-log-format <format>",
        group: "Output",
        help: "as JSON, or as nginx and Apache write it",
        choices: ["json", "combined"],
      },
    },
  ),
  to: option(
    v.union([place, callback<(line: string) => void>("")], 'give a file, "stdout", or a function that takes the lines'),
    "stdout",
    'a file, `"stdout"`, or a function that takes the lines',
    {
      flag: {
        name: "--access-log <path>",
        group: "Output",
        help: "a line for each request goes to this file, or to stdout",
        fallback: "none is written",
      },
    },
  ),
  only: option(
    oneOf(["all", "failures", "refusals"]),
    "all",
    '`"failures"`: those that failed (5xx, or cut) and what was refused; `"refusals"`: what was refused in place of the app\'s answer',
  ),
  sample: option(share(), 1, "which share of the requests; failures (5xx, or cut) are told in any case"),
  redact: option(
    v.pipe(v.array(v.string("give names of query parameters")), v.maxLength(100, "give 100 at most")),
    secretParameters,
    "query parameters whose values are not told",
    { otherwise: "names such as `token` and `password`" },
  ),
  rotate: option(
    defaultsOr<RotationOptions, RotationSettings>(rotation),
    false,
    "the file is put aside as `path.1`, `path.2` …; `true` is all defaults; or:",
  ),
  fields: option(
    v.pipe(v.array(oneOf(accessFields)), v.minLength(1, "name one at least")),
    [...accessFields],
    'of `"json"`: which fields, in which order',
    { otherwise: "all" },
  ),
});

const rotatable = v.pipe(
  group,
  v.check(
    ({ rotate, to }) => rotate === false || (typeof to === "string" && to !== "stdout"),
    "give rotate to a log that goes `to` a file",
  ),
);

const anyLog = v.lazy((input): v.GenericSchema<string | AccessLogOptions, AccessLogSettings> => {
  if (typeof input === "object" && input !== null) return rotatable as never;
  return v.pipe(
    place,
    v.transform((to) => v.parse(group, { to })),
  ) as never;
});

/** A path alone says where to. */
export const accessLogSchema = withEntries(anyLog, group);

/** Query parameters whose values are told nowhere. */
export function redactedIn(accessLog: AccessLogSettings | false): readonly string[] {
  return accessLog === false ? secretParameters : accessLog.redact;
}
