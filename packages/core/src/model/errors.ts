/** Base of every error this library throws or emits. `code` is stable across versions; messages are for people. */
export class LbError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An option has a value that cannot be used. Names the option, the value and the remedy. */
export class OptionError extends LbError {
  /** Dotted path of the option, e.g. `"health.passive.maxFails"`. */
  readonly option: string;

  constructor(option: string, value: unknown, remedy: string) {
    super("LB_OPTION", `Option "${option}" is ${describe(value)}: ${remedy}`);
    this.option = option;
  }
}

/** A value as a person would write it in source, short enough for one line. */
function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
