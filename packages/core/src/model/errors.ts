/** Base of every error this library throws or emits. `code` is stable across versions; messages are for people. */
export class LbError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * An option has a value that cannot be used. Names the option, the value and the remedy. Secrets are not shown: neither what
 * options of such names have, nor what URLs and the like have before an `@`.
 */
export class OptionError extends LbError {
  /** Dotted path of the option, e.g. `"health.passive.maxFails"`. */
  readonly option: string;
  /** What the value is, as it may be shown. */
  readonly shown: string;
  /** What to do about it. */
  readonly remedy: string;

  /** `hidden`: the value says nothing, and may be a secret, as that of an option that does not exist. */
  constructor(option: string, value: unknown, remedy: string, { hidden = false }: { readonly hidden?: boolean } = {}) {
    const shown = hidden || secretNames.test(option) ? kindOf(value) : describe(value);
    super("LB_OPTION", `Option "${option}" is ${shown}: ${remedy}`);
    this.option = option;
    this.shown = shown;
    this.remedy = remedy;
  }
}

/** The end of an option's path, or of the name in a list: `secret`, `affinity.cookie.secret[1]`, `redisPassword`. */
const secretNames =
  /(secrets?|passwords?|passwordHash|passphrase|tokens?|credentials?|hmacKey|eab|certificates\[\d+\]\.key|\.slack|\.webhook)(\[\d+\])?$|\.basicAuth\.users/i;

/** What is at such a path is not to be shown. */
export function isSecret(option: string): boolean {
  return secretNames.test(option);
}

/** Whatever comes before the last `@`, but for a scheme, and parameters with telling names. */
export function withoutCredentials(text: string): string {
  return text
    .replace(/^(\s*[a-z][a-z\d+.-]*:\/\/)?.*@/is, "$1***@")
    .replace(/([?&][^=&#]*(?:secret|password|passwd|token|key|auth|user)[^=&#]*=)[^&#]*/gi, "$1***");
}

/** A value as a person would write it in source, short enough for one line. */
function describe(value: unknown): string {
  if (typeof value === "string" && value.includes("-----BEGIN ")) return "a text in PEM";
  if (typeof value === "string" && value.length <= maxReadLength) {
    const text = withoutCredentials(value);
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  }
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" || typeof value === "string" ? kindOf(value) : String(value);
}

/** Longer texts are not looked through for what they must not show. */
const maxReadLength = 4_096;

function kindOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value === "" ? "an empty text" : "a text";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    case "undefined":
      return "undefined";
    default:
      return `a ${typeof value}`;
  }
}
