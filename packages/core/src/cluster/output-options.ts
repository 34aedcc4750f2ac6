import type { OutputLine } from "../model/output-line.ts";

/** Whose lines, and how many. */
export interface OutputOptions {
  /** Default 100. */
  readonly lines?: number;
  /** Of this backend's program, or `"app"`. Default: of all, or with `instance` the app's. */
  readonly backend?: string;
  readonly instance?: number;
}

/** It was written by one of these; all lines were by one of no particular. */
export function isOf(line: OutputLine, { backend, instance }: Pick<OutputOptions, "backend" | "instance">): boolean {
  if (instance !== undefined && line.instance !== instance) return false;
  if (backend === undefined) return instance === undefined || line.backend === undefined;
  return (line.backend ?? "app") === backend;
}
