/** A pattern for paths and what `Cache-Control` says of files that have one; `false`: the field is left out. */
export interface CacheRule {
  readonly pattern: RegExp;
  readonly value: string | false;
}

const immutable = "public, max-age=31536000, immutable";

/** Where build tools put what they have named by its content, and nothing else. */
const buildOutput = /^(_next\/static|_app\/immutable|_astro|_nuxt)\//;

/** Code is named by tools; pictures are named by people, and `hero-iPhone15.png` is one. */
const code = /\.(?:js|mjs|cjs|css|wasm|woff2?)(?:\.map)?$/;
/** webpack, esbuild, Angular, Parcel: letters and digits of a hexadecimal number. */
const hexadecimal = /[.-](?=[a-f]*\d)(?=\d*[a-f])[\da-f]{8,64}$/;
/** Vite: base64url, told from words by having all three kinds of characters, and only where Vite writes it. */
const base64url = /^assets\/.*-(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w-]{8}$/;

/** The first rule counts. Without one: what is named by its content never changes, and of all else is asked whether it has. */
export function cacheControl(name: string, rules: readonly CacheRule[]): string | false {
  for (const { pattern, value } of rules) if (pattern.test(name)) return value;
  return isNamedByContent(name) ? immutable : "no-cache";
}

/**
 * `main.07f1c3f1.js`, `assets/index-BxYz12_d.css`. Rather one too few: what is taken for unchangeable by mistake stays in browsers for a
 * year, what is not is asked for.
 */
function isNamedByContent(name: string): boolean {
  if (buildOutput.test(name)) return true;
  const extension = code.exec(name);
  if (extension === null) return false;
  const stem = name.slice(0, extension.index);
  return hexadecimal.test(stem) || base64url.test(stem);
}
