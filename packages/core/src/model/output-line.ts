/** One line that an instance wrote. */
export interface OutputLine {
  /** The name of the backend whose program it is; absent: it is the app. */
  readonly backend?: string;
  readonly instance: number;
  readonly pid: number;
  readonly stream: "stdout" | "stderr";
  /** Without its line break. */
  readonly text: string;
}
