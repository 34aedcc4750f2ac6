import { InvalidArgumentError } from "commander";
import type { HttpsOptions } from "../options/https-options.ts";
import { httpsOf } from "./https-flag.ts";

// What the values of flags mean. Each reader gives the value that the option takes, or says what to write.

export type ReadValue = (text: string, before?: unknown) => unknown;

export const text: ReadValue = (value) => {
  if (value.trim() === "") throw new InvalidArgumentError("It is empty.");
  return value;
};

/** Several with commas between them, or the flag several times. */
export const list = (value: string, before?: unknown): readonly string[] => {
  const items = value.split(",").map((item) => item.trim());
  if (items.some((item) => item === "")) throw new InvalidArgumentError("Give values with commas between them.");
  return [...(Array.isArray(before) ? (before as string[]) : []), ...items];
};

/** A whole number, of which `judge` says what is wrong with it, if anything is. */
export function judgedNumber(judge: (value: number) => string | undefined): ReadValue {
  return (text) => {
    const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
    const remedy = judge(value);
    if (remedy === undefined) return value;
    throw new InvalidArgumentError(`${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`);
  };
}

/** A part of a whole, e.g. 0.01. */
export const share: ReadValue = (text) => {
  const value = /^\d(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value <= 1) return value;
  throw new InvalidArgumentError("Give a share between 0 (none) and 1 (all).");
};

export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (value: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (value) => {
    const number = /^\d{1,16}$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a whole number ${range}.`);
  };
}

export function startParallelism(value: string): number | "all" | "first" {
  return value === "all" || value === "first" ? value : wholeNumber(1)(value);
}

/** `auto`, or so many. */
export const instances: ReadValue = (value) => {
  if (value === "auto" || value === "max") return "auto";
  try {
    return wholeNumber(1, 1_024)(value);
  } catch {
    throw new InvalidArgumentError('Give a whole number from 1 to 1024, or "auto" for one on each processor.');
  }
};

/** Where to listen: `80`, `0.0.0.0:80`, `[::]:80`, `unix:/run/app.sock`, `fd:3`, `fd:http`; several with commas between them. */
export const listeners: ReadValue = (value, before) => {
  const addresses = list(value).map((address) => {
    const [, kind, rest] = /^(unix|fd):(.+)$/.exec(address) ?? [];
    if (kind === "unix") return { path: rest! };
    if (kind === "fd") return { fd: /^\d{1,5}$/.test(rest!) ? Number(rest) : rest! };
    const [, bracketed, host, port] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(address) ?? [];
    const at = bracketed ?? host;
    if (port !== undefined) return at === undefined ? { port: Number(port) } : { host: at, port: Number(port) };
    throw new InvalidArgumentError(
      "Give a port, address:port, unix:/path or fd:3, or several with commas between them.",
    );
  });
  return [...(Array.isArray(before) ? before : []), ...addresses];
};

const spans = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s`, `2m`, `1h`; without a unit it is milliseconds. */
export const milliseconds = (value: string): number => {
  const [, digits, unit = "ms"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value.trim()) ?? [];
  if (digits !== undefined) return Number(digits) * spans[unit as keyof typeof spans];
  throw new InvalidArgumentError("Give a time such as 500ms, 10s or 2m; without a unit it is milliseconds.");
};

/** The other way round, in the longest unit that needs no fraction. */
export function timeWords(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000}s` : `${milliseconds}ms`;
}

const sizes = { K: 1_024, M: 1_048_576, G: 1_073_741_824 };

function sizeIn(unitBytes: number, value: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([KMG])?B?$/i.exec(value.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("Give a size such as 512M or 2G.");
  return Math.round((Number(digits) * (unit === undefined ? unitBytes : sizes[unit.toUpperCase() as "K"])) / unitBytes);
}

/** `512M`, `2G`; without a unit it is megabytes. */
export const megabytes: ReadValue = (value) => sizeIn(sizes.M, value);

/** `64K`, `10M`; without a unit it is bytes. */
export const bytes: ReadValue = (value) => sizeIn(1, value);

/** `localhost`, or names for which certificates are asked for; several with commas, or the flag several times. */
export const https: ReadValue = (value, before) => {
  const { localhost, acme } = (before ?? {}) as HttpsOptions;
  return httpsOf([...(localhost === true ? ["localhost"] : []), ...(acme?.domains ?? []), ...list(value)]);
};

/** `off`, or how many attempts. */
export const attempts: ReadValue = (value) =>
  value === "off" || value === "0" ? false : { attempts: wholeNumber(1, 100)(value) };

/** `on`, or the path at which they begin. */
export const healthEndpoints: ReadValue = (value) => (value === "on" ? true : { path: text(value) });

/** `off`, or a port. */
export const admin: ReadValue = (value) => (value === "off" ? false : { port: wholeNumber(0, 65_535)(value) });

/** `adaptive`, or so many. */
export const requestsInFlight: ReadValue = (value) => {
  if (value === "adaptive") return value;
  try {
    return wholeNumber(1)(value);
  } catch {
    throw new InvalidArgumentError('Give a whole number of at least 1, or "adaptive".');
  }
};

const rateRemedy = "Give requests a second or a minute, as in 10r/s or 300r/m";
const rateWindows = { s: 1_000, m: 60_000, h: 3_600_000 };

/** As nginx has it: `10r/s`, `10r/s,burst=20`, and behind that `delay`, `delay=8`, `status=503`, `key=header:x-api-key`, `key=cookie:sid`, `dry-run`. */
export const rateLimit: ReadValue = (value) => {
  if (value === "off") return false;
  const [rate, ...rest] = value.split(",").map((part) => part.trim());
  const [, points, unit] = /^(\d{1,9}(?:\.\d{1,3})?)r\/([smh])$/.exec(rate!) ?? [];
  if (points === undefined) throw new InvalidArgumentError(`${rateRemedy}.`);
  const options: Record<string, unknown> = { points: Number(points), windowMs: rateWindows[unit as "s"] };
  for (const part of rest) Object.assign(options, rateLimitPart(part));
  return options;
};

function rateLimitPart(part: string): object {
  const [name = "", value] = part.split(/=(.*)/s, 2);
  const number = value !== undefined && /^\d{1,7}$/.test(value) ? Number(value) : undefined;
  if (name === "burst" && number !== undefined) return { burst: number };
  if (name === "status" && number !== undefined) return { statusCode: number };
  if (name === "delay" && (value === undefined || number !== undefined)) return { delay: number ?? true };
  if (name === "nodelay" && value === undefined) return { delay: false };
  if (name === "dry-run" && value === undefined) return { dryRun: true };
  const [, kind, of] = name === "key" ? (/^(header|cookie):(.+)$/.exec(value ?? "") ?? []) : [];
  if (kind !== undefined) return { key: { [kind]: of } };
  const known = "burst=20, delay, delay=8, status=503, key=header:x-api-key, key=cookie:sid and dry-run";
  throw new InvalidArgumentError(`There is no ${JSON.stringify(part)}: ${rateRemedy}, and behind it ${known}.`);
}

/** `/health`, or `log:startup complete`. */
export const readyCheck: ReadValue = (value) => {
  if (value.startsWith("/")) return { path: value };
  if (value.startsWith("log:") && value.length > 4) return { log: value.slice(4) };
  throw new InvalidArgumentError("Give a path such as /health, or log: and a part of the line that it writes.");
};

/** `cookie`, `ip`, `socket.io`, `header:<name>`, `query:<name>`, or several with commas between them. */
export const affinity: ReadValue = (value) => {
  const rules = value.split(",").map((rule) => {
    const colon = rule.indexOf(":");
    const [kind, name] = colon < 0 ? [rule, undefined] : [rule.slice(0, colon), rule.slice(colon + 1)];
    if (name === undefined && ["cookie", "ip", "socket.io"].includes(kind)) return kind;
    if (name !== undefined && name !== "" && ["header", "query"].includes(kind)) return { [kind]: name };
    throw new InvalidArgumentError(
      "Give cookie, ip, socket.io, header:<name> or query:<name>, or several with commas between them.",
    );
  });
  return rules.length === 1 ? rules[0] : rules;
};
