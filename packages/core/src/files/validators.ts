/** What tells one version of a file from another (RFC 9110 §8.8). */
export interface Validators {
  /** With its quotes, weak with `W/`. Undefined: nothing is known that would change with the file. */
  readonly etag: string | undefined;
  /** Seconds since 1970; undefined: it is not known. */
  readonly lastModified: number | undefined;
}

/** A file that was changed so shortly ago may change again and look the same: clocks of file systems are coarse. */
const settledMs = 2_000;

/**
 * By time and size, as nginx and Caddy do it, so that machines with copies of one build agree; the inode is not in it. Builds that are made to
 * be reproducible set all times to the same moment, 1970: those say nothing.
 */
export function validatorsOf(mtimeNs: bigint, size: number, nowMs: number): Validators {
  const seconds = Number(mtimeNs / 1_000_000_000n);
  if (seconds <= 1) return { etag: undefined, lastModified: undefined };
  const ageMs = nowMs - Number(mtimeNs / 1_000_000n);
  const tag = `"${mtimeNs.toString(36)}-${size.toString(36)}"`;
  return {
    etag: ageMs < settledMs ? `W/${tag}` : tag,
    // A date later than that of the message is none (RFC 9110 §8.8.2.1).
    lastModified: ageMs < 0 ? undefined : seconds,
  };
}

/** Will they be others, though the file stays as it is? */
export function areSettled(mtimeNs: bigint, madeAtMs: number): boolean {
  return madeAtMs - Number(mtimeNs / 1_000_000n) >= settledMs;
}
