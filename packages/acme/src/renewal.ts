// When a certificate is renewed, and when what failed is tried again. Pure; times are of the wall clock, in milliseconds.

/** From when and until when a certificate is good. */
export interface Lifetime {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** In which the authority wants it renewed (RFC 9773 §4.2). */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** Any time in the window, so that not everybody comes at once; `drawn` is uniform in [0, 1). */
export function renewalWithin({ start, end }: RenewalWindow, drawn: number): number {
  return start + drawn * (end - start);
}

/** At two thirds of its life, and up to a fiftieth later: right for ninety days as for six. */
export function renewalBy({ notBefore, notAfter }: Lifetime, drawn: number): number {
  const length = notAfter - notBefore;
  return notBefore + (length * 2) / 3 + (drawn * length) / 50;
}

const firstDelayMs = 60_000;
const maxDelayMs = 21_600_000;

/** An authority that asks for more is asked again all the same. */
const maxAskedMs = 604_800_000;

/**
 * A minute, then four times as long each time, six hours at the most, and up to a quarter longer: five attempts come in
 * two and a half hours, where Let's Encrypt allows five failures an hour. What the authority asks for counts if it is more.
 */
export function retryDelay(attempts: number, drawn: number, askedMs = 0): number {
  const own = Math.min(maxDelayMs, firstDelayMs * 4 ** Math.min(attempts - 1, 10));
  return Math.max(own, Math.min(askedMs, maxAskedMs)) * (1 + drawn / 4);
}
