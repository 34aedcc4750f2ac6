/** A uniform number in [0, 1). */
export type Random = () => number;

/** Not for secrets: cookies and tokens use `node:crypto`. */
export const systemRandom: Random = Math.random;
