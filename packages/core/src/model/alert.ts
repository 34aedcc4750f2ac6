/** What can be wrong; the names of the option `alerts.on`. */
export const alertRules = [
  "instance",
  "backend",
  "reload",
  "errorRate",
  "latency",
  "cpu",
  "memory",
  "eventLoop",
  "connectionsRefused",
  "queueFull",
  "quarantine",
  "accessLog",
  "redis",
  "certificate",
] as const;
export type AlertRule = (typeof alertRules)[number];

/** `critical`: clients notice it, or will soon. */
export type AlertSeverity = "warning" | "critical";

/** An incident, when it began or when it is over. Plain JSON. */
export interface Alert {
  /** The same for both. */
  readonly id: string;
  readonly rule: AlertRule;
  /**
   * - `firing`: it has begun;
   * - `resolved`: it is over;
   * - `passed`: it is over already, and so short that nothing was said of its beginning.
   */
  readonly state: "firing" | "resolved" | "passed";
  readonly severity: AlertSeverity;
  /** What it is about, e.g. `"instance 2"`; the cluster as a whole is `"cluster"`. */
  readonly subject: string;
  /** One line. */
  readonly summary: string;
  /** When it began, as `"2027-01-31T12:00:00.000Z"`. */
  readonly since: string;
  /** How long it lasted; absent while it goes on. */
  readonly durationMs?: number;
}

/** What a target of the option `alerts.to` gets: one alert, or several that came close together. Plain JSON. */
export interface AlertMessage {
  readonly version: 1;
  /** The same whenever it is sent again. */
  readonly id: string;
  /** `test`: of `lb alert test`; it has no alerts. */
  readonly kind: "alerts" | "test";
  readonly cluster: string;
  readonly host: string;
  readonly at: string;
  /** All of it in words. The first line says the most. */
  readonly text: string;
  readonly alerts: readonly Alert[];
  /** So many more there were. */
  readonly omitted: number;
}

/** What became of the test message at one target. */
export interface AlertTrial {
  readonly target: string;
  /** `null`: it took it. */
  readonly error: string | null;
  readonly tookMs: number;
}
