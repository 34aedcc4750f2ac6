/** One line that an instance wrote. */
export interface OutputLine {
  readonly instance: number;
  readonly pid: number;
  readonly stream: "stdout" | "stderr";
  /** Without its line break. */
  readonly text: string;
}
