import * as v from "valibot";
import { type AccessField, type AccessRecord, accessFields } from "../model/access-record.ts";
import { option } from "./option.ts";
import { callback, oneOf, options, share, withEntries } from "./validation.ts";

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
  /** Of `"json"`: which fields, in which order. Default: all. */
  readonly fields?: readonly AccessField[];
}

export interface AccessLogSettings {
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
  fields: option(
    v.pipe(v.array(oneOf(accessFields)), v.minLength(1, "name one at least")),
    [...accessFields],
    'of `"json"`: which fields, in which order',
    { otherwise: "all" },
  ),
});

const anyLog = v.lazy((input): v.GenericSchema<string | AccessLogOptions, AccessLogSettings> => {
  if (typeof input === "object" && input !== null) return group as never;
  return v.pipe(
    place,
    v.transform((to) => v.parse(group, { to })),
  ) as never;
});

/** A path alone says where to. */
export const accessLogSchema = withEntries(anyLog, group);
