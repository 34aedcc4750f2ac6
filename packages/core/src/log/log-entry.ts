/** How much an entry asks for attention: `info` is as it should be, `warn` mends by itself, `error` may not. */
export type LogLevel = "info" | "warn" | "error";

/** One thing that happened to a cluster, in words. */
export interface LogEntry {
  /** The name of the event, as in {@link ClusterEventMap}. */
  readonly event: string;
  readonly level: LogLevel;
  /** One line, without control characters. */
  readonly message: string;
  /** 1…N, if it is about one instance. */
  readonly instance?: number;
  /** Where the program itself threw, line by line, without control characters. */
  readonly stack?: readonly string[];
  /** The figures in the message, for machines. */
  readonly fields?: Readonly<Record<string, string | number | boolean | null>>;
}
