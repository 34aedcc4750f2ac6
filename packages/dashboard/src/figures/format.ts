/** Figures as they are read: few digits, a unit, and a dash for what is not known. */
export const unknown = "–";
const space = "\u00a0";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return grouped.format(value);
}

/** Of things a second, and the like. */
export function rate(value: number | undefined): string {
  if (value === undefined) return unknown;
  if (value >= 100_000) return `${grouped.format(value / 1_000)}k`;
  if (value >= 10 || value === 0) return grouped.format(value);
  return value < 0.05 ? "<0.1" : value.toFixed(1);
}

export function percent(share: number | undefined): string {
  if (share === undefined) return unknown;
  const value = share * 100;
  if (value === 0) return `0${space}%`;
  if (value < 0.01) return `<0.01${space}%`;
  return `${value >= 9.995 ? value.toFixed(0) : value >= 0.995 ? value.toFixed(1) : value.toFixed(2)}${space}%`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === undefined || value === null) return unknown;
  if (value >= 9_995) return `${(value / 1_000).toFixed(1)}${space}s`;
  if (value >= 999.5) return `${(value / 1_000).toFixed(2)}${space}s`;
  if (value >= 99.5 || value === 0) return `${value.toFixed(0)}${space}ms`;
  return `${value.toFixed(value >= 0.95 ? 1 : 2)}${space}ms`;
}

const megabyte = 1_048_576;

export function bytes(value: number | undefined): string {
  if (value === undefined) return unknown;
  if (value >= 1_000 * megabyte) return `${(value / megabyte / 1_024).toFixed(1)}${space}GB`;
  if (value >= 10 * megabyte || value === 0) return `${(value / megabyte).toFixed(0)}${space}MB`;
  return value >= megabyte ? `${(value / megabyte).toFixed(1)}${space}MB` : `${(value / 1_024).toFixed(0)}${space}kB`;
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** The two largest units of it. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return `0${space}s`;
  let left = seconds;
  const parts: string[] = [];
  for (const [name, length] of units.slice(first, first + 2)) {
    const whole = Math.floor(left / length);
    left -= whole * length;
    if (whole > 0) parts.push(`${whole}${space}${name}`);
  }
  return parts.join(" ");
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Of today the time alone. */
export function moment(at: number, now: number): string {
  return day.format(at) === day.format(now) ? time.format(at) : `${day.format(at)} ${time.format(at)}`;
}

/** What colours a terminal, moves in it, or names its window. */
const esc = String.fromCharCode(27);
const orders = new RegExp(`${esc}\\[[0-?]*[ -/]*[@-~]|${esc}\\][^\\p{Cc}]*(?:\\x07|${esc}\\\\)`, "gu");
const controls = /(?!\t)\p{Cc}/gu;

/** A line without what tells a terminal of colours. */
export function plainLine(text: string): string {
  return text.replace(orders, "").replace(controls, "");
}
