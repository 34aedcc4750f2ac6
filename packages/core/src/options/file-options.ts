import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { options, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Files of a directory, as the destination of a route. */
export interface FileOptions {
  /** The directory; relative ones are below the one that the program was started in. Nothing outside of it is sent, whatever links there are. */
  readonly files: string;
  /** What a directory is answered with; `false`: with 404. Default `"index.html"`. There are no listings. */
  readonly index?: string | false;
  /** For apps that route in the browser: what a person goes to and is no file is answered with this one; `true`: with the index. Default false. */
  readonly spa?: boolean | string;
  /** What may be left out at the end of a URL, e.g. `[".html"]`: then `/about` is `about.html`. Default: nothing. */
  readonly extensions?: readonly string[];
  /** What is not there, and methods other than GET and HEAD, go on to the routes behind this one, and to the app. Default false: 404, and 405. */
  readonly fallthrough?: boolean;
  /** The page for what is not there, sent with 404 if it is there itself. Default `"404.html"`. */
  readonly notFound?: string | false;
  /** Sends `app.js.br`, `.zst` or `.gz` in place of `app.js` to who takes that. Default true. */
  readonly precompressed?: boolean;
  /** Names that begin with a dot are sent, too. Default false, but for `/.well-known/`. */
  readonly dotfiles?: boolean;
  /**
   * `Cache-Control` by pattern, the first that fits: `{ "assets/*": "public, max-age=31536000, immutable", "*.pdf": false }`. By default what
   * a build tool has named by its content is immutable, and the rest is `no-cache`: kept, and asked for each time whether it has changed.
   */
  readonly cacheControl?: Readonly<Record<string, string | false>>;
  /** `Content-Type` by extension: `{ ".gltf": "model/gltf+json" }`, before those that everybody knows. */
  readonly types?: Readonly<Record<string, string>>;
  /** For the contents of small files in memory, in bytes; 0: none. Default 67,108,864. */
  readonly cacheBytes?: number;
}

/** {@link FileOptions}, checked and completed. */
export interface FileSettings {
  readonly root: string;
  readonly index: string | undefined;
  /** What navigations get that are no file. */
  readonly fallback: string | undefined;
  readonly extensions: readonly string[];
  /** What is not there is others' to answer. */
  readonly fallthrough: boolean;
  readonly notFound: string | undefined;
  readonly precompressed: boolean;
  readonly dotfiles: boolean;
  readonly cacheRules: readonly { readonly pattern: RegExp; readonly value: string | false }[];
  /** By extension, in lower case and without the dot. */
  readonly types: Readonly<Record<string, string>>;
  readonly cacheBytes: number;
}

const nameRemedy = 'give the path of a file below the directory, e.g. "index.html"';
const fileName = v.pipe(
  v.string(nameRemedy),
  v.maxLength(1_024, nameRemedy),
  v.check(
    (name) => name.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0]/.test(part)),
    nameRemedy,
  ),
);

const fieldRemedy = "give text of at most 1024 characters, without line breaks and white space at its ends";
const fieldText = v.pipe(
  v.string(fieldRemedy),
  v.maxLength(1_024, fieldRemedy),
  v.regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, fieldRemedy),
);

const extensionRemedy = 'give an extension with its dot, e.g. ".html"';
const extension = v.pipe(v.string(extensionRemedy), v.regex(/^\.[\w.+-]{1,64}$/, extensionRemedy));

const patternRemedy = 'give a pattern for paths, e.g. "assets/*" or "*.html"';
const pattern = v.pipe(v.string(patternRemedy), v.regex(/^\/?[^/\s\0]([^\s\0]{0,1022})$/, patternRemedy));

const fileOrNot = v.union([v.literal(false), fileName], `${nameRemedy}, or false`);

const rootRemedy = "give the path of a directory";

const given = options({
  files: required(v.pipe(v.string(rootRemedy), v.nonEmpty(rootRemedy)), "the directory"),
  index: option(fileOrNot, "index.html", "what a directory is answered with; `false`: with 404"),
  spa: option(
    v.union([v.boolean(), fileName], `${nameRemedy}, true or false`),
    false,
    "what a person goes to and is no file is answered with the index, or with this file",
  ),
  extensions: option(
    v.pipe(v.array(extension, extensionRemedy), v.maxLength(4, "give 4 at most")),
    [],
    'what may be left out at the end of a URL, e.g. `[".html"]`',
    { otherwise: "none" },
  ),
  fallthrough: option(yesOrNo(), false, "what is not there goes on to the next route that it fits, or to the app"),
  notFound: option(fileOrNot, "404.html", "the page for what is not there, if it is there itself"),
  precompressed: option(yesOrNo(), true, "sends `app.js.br`, `.zst` or `.gz` in place of `app.js` to who takes that"),
  dotfiles: option(yesOrNo(), false, "names that begin with a dot are sent; those in `/.well-known/` are in any case"),
  cacheControl: option(
    v.record(
      pattern,
      v.union([v.literal(false), fieldText], `${fieldRemedy}, or false`),
      "give an object: { pattern: value }",
    ),
    {},
    '`Cache-Control` by pattern: `{ "*.pdf": "max-age=3600" }`, the first that fits',
    { otherwise: "hashed code immutable, else `no-cache`" },
  ),
  types: option(
    v.record(extension, fieldText, "give an object: { extension: type }"),
    {},
    '`Content-Type` by extension: `{ ".gltf": "model/gltf+json" }`',
    {
      otherwise: "as known",
    },
  ),
  cacheBytes: option(wholeNumber(0), 67_108_864, "for the contents of small files in memory; 0: none"),
} satisfies EntriesOf<FileOptions>);

export const fileSchema = withEntries(
  v.pipe(
    given,
    v.transform(
      ({ files, index, spa, notFound, cacheControl, types, ...rest }): FileSettings => ({
        ...rest,
        root: files,
        index: index === false ? undefined : index,
        fallback: spa === true ? index || "index.html" : spa || undefined,
        notFound: rest.fallthrough || notFound === false ? undefined : notFound,
        cacheRules: Object.entries(cacheControl).map(([given, value]) => ({ pattern: pathPattern(given), value })),
        types: Object.fromEntries(Object.entries(types).map(([given, type]) => [given.slice(1).toLowerCase(), type])),
      }),
    ),
  ),
  given,
);

/**
 * `*` is anything within a segment, `**` anything at all. A pattern without a slash inside is for names in every directory: `*.html`.
 * A slash at the beginning says where it begins and no more: `/assets/*` is `assets/*`.
 */
function pathPattern(given: string): RegExp {
  const anywhere = given.includes("/") ? "" : "(?:.*/)?";
  const text = given
    .replace(/^\//, "")
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\*{2,}\/?|\*/g, (stars) => (stars === "*" ? "[^/]*" : stars.endsWith("/") ? "(?:.*/)?" : ".*"));
  return new RegExp(`^${anywhere}${text}$`);
}
