import * as v from "valibot";
import { type FileOptions, type FileSettings, fileSchema } from "./file-options.ts";
import { option, required } from "./option.ts";
import { options, positiveNumber, wholeNumber } from "./validation.ts";

/** Where the requests of a route go. */
export type RouteTargetOptions =
  /** `"app"`, or the name of a backend. */
  | string
  | SplitPart
  /** One of several, drawn for each client or request: as its affinity says, else by weight. */
  | readonly SplitPart[]
  | FileOptions
  | RedirectOptions
  | RespondOptions;

export interface SplitPart {
  /** `"app"`, or the name of a backend. */
  readonly backend: string;
  /** Relative to the others. Default 1. */
  readonly weight?: number | undefined;
}

export interface RedirectOptions {
  /** Where to: a path, or a URL, with parts of the request as in `rewrite`: `"https://www.example{uri}"`. */
  readonly redirect: string;
  /** 301, 302, 303, 307 or 308. Default 308: for good, and with the same method. */
  readonly status?: number | undefined;
}

export interface RespondOptions {
  /** What is answered in place of anybody: a maintenance page, say. */
  readonly respond: {
    /** Default 200. */
    readonly status?: number | undefined;
    /** Default `""`. */
    readonly body?: string | undefined;
    /** Default: `Content-Type: text/plain; charset=utf-8`, or `text/html; …` where the body begins with `<`. */
    readonly headers?: Readonly<Record<string, string>> | undefined;
  };
}

/** {@link RouteTargetOptions}, checked. */
export type RouteTarget =
  | { readonly kind: "files"; readonly files: FileSettings }
  | { readonly kind: "pools"; readonly parts: readonly { readonly pool: string; readonly weight: number }[] }
  | { readonly kind: "redirect"; readonly location: string; readonly status: number }
  | { readonly kind: "respond"; readonly status: number; readonly fields: readonly string[]; readonly body: string };

const remedy =
  'give "app", the name of a backend, { files: "public" }, { redirect: "/to" }, { respond: { status, body } }, or [{ backend, weight }, …]';

const name = v.pipe(v.string(remedy), v.nonEmpty(remedy));

const part = v.pipe(
  options({
    backend: required(name, '`"app"`, or the name of a backend'),
    weight: option(positiveNumber(), 1, "relative to the others"),
  }),
  v.transform(({ backend, weight }) => ({ pool: backend, weight })),
);

const statuses = [301, 302, 303, 307, 308];
const locationRemedy = 'give a path or an http(s) URL, without white space: "https://www.example{uri}"';

const redirect = v.pipe(
  options({
    redirect: required(
      v.pipe(v.string(locationRemedy), v.regex(/^(\/|https?:\/\/|\{(uri|path)\})[\x21-\x7e]{0,2048}$/, locationRemedy)),
      "where to",
    ),
    status: option(
      v.custom<number>((given) => statuses.includes(given as number), `give ${statuses.join(", ")}`),
      308,
      "of the redirect",
    ),
  }),
  v.transform((given): RouteTarget => ({ kind: "redirect", location: given.redirect, status: given.status })),
);

const fieldRemedy = 'give header fields: { Name: "value" }';
const maxBodyLength = 1_048_576;

const respond = v.pipe(
  options({
    respond: required(
      options({
        status: option(wholeNumber(200, 599), 200, "of the answer"),
        body: option(
          v.pipe(v.string("give text"), v.maxLength(maxBodyLength, "give a megabyte at most")),
          "",
          "of the answer",
        ),
        headers: option(
          v.record(
            v.pipe(
              v.string(fieldRemedy),
              v.regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, fieldRemedy),
              v.check(
                (field) =>
                  !/^(connection|content-length|transfer-encoding|date|keep-alive|upgrade|trailer)$/i.test(field),
                "it says how the answer is carried, which is the front's affair",
              ),
            ),
            v.pipe(
              v.string(fieldRemedy),
              v.regex(/^([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/, fieldRemedy),
            ),
            fieldRemedy,
          ),
          {},
          "of the answer",
        ),
      }),
      "what is answered",
    ),
  }),
  v.transform(({ respond: { status, body, headers } }): RouteTarget => {
    const typed = Object.keys(headers).some((field) => field.toLowerCase() === "content-type");
    const type = `text/${body.startsWith("<") ? "html" : "plain"}; charset=utf-8`;
    const fields = [...Object.entries(headers).flat(), ...(typed || body === "" ? [] : ["Content-Type", type])];
    return { kind: "respond", status, fields, body };
  }),
);

function pools(parts: readonly { readonly pool: string; readonly weight: number }[]): RouteTarget {
  return { kind: "pools", parts };
}

const named = v.pipe(
  name,
  v.transform((pool) => pools([{ pool, weight: 1 }])),
);

const one = v.pipe(
  part,
  v.transform((given) => pools([given])),
);

const split = v.pipe(
  v.array(part, remedy),
  v.minLength(1, remedy),
  v.maxLength(64, "give 64 at most"),
  v.check((parts) => new Set(parts.map(({ pool }) => pool)).size === parts.length, "name each backend once"),
  v.transform((parts) => pools(parts)),
);

const files = v.pipe(
  fileSchema,
  v.transform((given): RouteTarget => ({ kind: "files", files: given })),
);

/** By what is there of each, so that its own remedies are said. */
export const routeTargetSchema = v.lazy((given): v.GenericSchema<unknown, RouteTarget> => {
  if (typeof given !== "object" || given === null) return named as v.GenericSchema<unknown, RouteTarget>;
  if (Array.isArray(given)) return split as v.GenericSchema<unknown, RouteTarget>;
  if ("files" in given) return files as v.GenericSchema<unknown, RouteTarget>;
  if ("redirect" in given) return redirect as v.GenericSchema<unknown, RouteTarget>;
  if ("respond" in given) return respond as v.GenericSchema<unknown, RouteTarget>;
  return one as v.GenericSchema<unknown, RouteTarget>;
});
