export function ms(value: number | null): string {
  if (value === null) return "-";
  return value >= 1_000 ? `${shortNumber(value / 1_000)} s` : `${shortNumber(value)} ms`;
}

export function percent(share: number): string {
  return `${share < 0.001 ? "< 0.1" : shortNumber(share * 100)} %`;
}

/** Two digits of what is below ten, and no fraction of what is a hundred and more. */
export function shortNumber(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}

/** Of files. */
export function fileSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${shortNumber(bytes / 1_000_000)} MB`;
}

/** `512 MB`, `1.4 GB`: for narrow columns. */
export function memory(bytes: number): string {
  return bytes >= 1_000 * 1_048_576 ? `${shortNumber(bytes / 1_073_741_824)} GB` : megabytes(bytes);
}
