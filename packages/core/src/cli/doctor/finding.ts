/** What a look at one thing came to. */
export interface Finding {
  /** Of what, e.g. `"descriptors"`. */
  readonly check: string;
  /**
   * - `ok`: nothing to do;
   * - `hint`: it could be better, or could not be found out;
   * - `warning`: it works until it matters;
   * - `error`: something that is asked for will not work.
   */
  readonly level: "ok" | "hint" | "warning" | "error";
  /** What was found. */
  readonly what: string;
  /** What follows from it for this cluster. */
  readonly meaning?: string;
  /** What mends it, as it can be copied. */
  readonly remedy?: string;
}

const order = ["ok", "hint", "warning", "error"] as const;

export function worst(findings: readonly Finding[]): Finding["level"] {
  return order[Math.max(0, ...findings.map(({ level }) => order.indexOf(level)))]!;
}
